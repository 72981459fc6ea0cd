"""Values of a card: dataclasses from plain JSON, with every type and range checked.

Standard library only. Everything here refuses with ModelError.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from typing import Any

from backend.core.errors import ModelError

# Layers of a network are counted in hundreds, and their values in tens.
MOST_RANGES, HIGHEST = 2000, 1e6


def refuse(found: str) -> typing.NoReturn:
    """Raise the refusal of a card in which `found` was found."""
    raise ModelError(f"The model card is not usable: {found}.", "Copy the model folder again, or choose another model.")


def between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside of a range."""
    if not low <= value <= high:  # nan isn't either
        refuse(f"{name} is {value!r:.60}, wanted {low} to {high}")


def items(data: dict[str, Any], key: str, low: int, high: int) -> list[Any]:
    """The list at a key, of `low` to `high` entries."""
    value = data.get(key)
    if not isinstance(value, (list, tuple)) or not low <= len(value) <= high:
        found = len(value) if isinstance(value, (list, tuple)) else type(value).__name__
        refuse(f"{key} is a list of {low} to {high} entries, found {found}")
    return list(value)


def build(cls: Any, data: object, where: str) -> Any:
    """A dataclass from a dict with exactly its keys (defaults may be left out) and scalar types checked."""
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
    """Refuse a value that isn't of the wanted type, where that is int, float, bool or str."""
    ok = {
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and _fits(value)),
        bool: isinstance(value, bool),
        str: isinstance(value, str),
    }.get(wanted, True)
    if not ok:
        refuse(f"{name} is {value!r:.60}, wanted {wanted.__name__}")


def check_ranges(ranges: object) -> None:
    """Refuse what isn't an object of names with a low and a high number around zero each."""
    if not isinstance(ranges, dict) or len(ranges) > MOST_RANGES:
        refuse(f"activation_ranges is not an object of at most {MOST_RANGES} entries")
    for name, pair in ranges.items():
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            refuse(f"activation_ranges of {name!r:.60} is {pair!r:.60}, wanted [low, high]")
        for value, low, high in ((pair[0], -HIGHEST, 0.0), (pair[1], 0.0, HIGHEST)):
            scalar(f"activation_ranges of {name!r:.60}", value, float)
            between(f"activation_ranges of {name!r:.60}", value, low, high)


def _fits(value: int) -> bool:
    """Whether a float can hold it: JSON's whole numbers have any number of digits."""
    return abs(value) <= sys.float_info.max
