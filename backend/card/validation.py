"""Build dataclasses from the JSON of a card, with all types and ranges checked; refusals are ModelError.

Imports the standard library only.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from typing import Any

from backend.core.errors import ModelError

# Far above any network: layers are counted in hundreds, and their values in tens.
MOST_RANGES, HIGHEST = 2000, 1e6


def refuse(found: str) -> typing.NoReturn:
    """Raise ModelError for a card; `found` says what was found."""
    raise ModelError(f"The model card is not usable: {found}.", "Copy the model folder again, or choose another model.")


def between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside a range (or nan)."""
    if not low <= value <= high:
        refuse(f"{name} is {value!r:.60}, wanted {low} to {high}")


def items(data: dict[str, Any], key: str, low: int, high: int) -> list[Any]:
    """Return the list at a key; refuse fewer than `low` or more than `high` entries."""
    value = data.get(key)
    if not isinstance(value, (list, tuple)) or not low <= len(value) <= high:
        found = len(value) if isinstance(value, (list, tuple)) else type(value).__name__
        refuse(f"{key} is a list of {low} to {high} entries, found {found}")
    return list(value)


def build(cls: Any, data: object, where: str) -> Any:
    """Return a dataclass from a dict; refuse unknown keys, missing ones without default, and wrong scalar types."""
    if not isinstance(data, dict):
        refuse(f"{where} is a {type(data).__name__}, wanted an object")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(str(key)[:40] for key in data if key not in fields)
    if unknown:
        refuse(f"{where} has unknown keys {', '.join(unknown[:5])}")
    hints = typing.get_type_hints(cls)
    for name, item in fields.items():
        if name not in data:
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
                refuse(f"{where}.{name} is missing")
            continue
        scalar(f"{where}.{name}", data[name], hints[name])
    values = {name: float(v) if hints[name] is float else v for name, v in data.items()}
    return cls(**values)


def scalar(name: str, value: object, wanted: Any) -> None:
    """Refuse a value of another type than wanted, if that is int, float, bool or str."""
    ok = {
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and _fits(value)),
        bool: isinstance(value, bool),
        str: isinstance(value, str),
    }.get(wanted, True)
    if not ok:
        refuse(f"{name} is {value!r:.60}, wanted {wanted.__name__}")


def check_ranges(ranges: object) -> None:
    """Refuse ranges that are not an object of [low, high] pairs around zero."""
    if not isinstance(ranges, dict) or len(ranges) > MOST_RANGES:
        refuse(f"activation_ranges is not an object of at most {MOST_RANGES} entries")
    for name, pair in ranges.items():
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            refuse(f"activation_ranges of {name!r:.60} is {pair!r:.60}, wanted [low, high]")
        for value, low, high in ((pair[0], -HIGHEST, 0.0), (pair[1], 0.0, HIGHEST)):
            scalar(f"activation_ranges of {name!r:.60}", value, float)
            between(f"activation_ranges of {name!r:.60}", value, low, high)


def _fits(value: int) -> bool:
    """Return whether a float can hold an integer of JSON, which may have any number of digits."""
    return abs(value) <= sys.float_info.max
