"""Build dataclasses from plain JSON or TOML values, with every key and type checked; check ranges of a card.

Standard library only. `from_plain` raises FieldError; everything else refuses with ModelError.
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
import typing
from typing import Any, TypeVar

from backend.core.errors import ModelError

T = TypeVar("T")

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


class FieldError(ValueError):
    """Signal plain values that don't fit a dataclass: `found` says which and what was wanted, `hint` what to do."""

    def __init__(self, found: str, hint: str = "") -> None:
        super().__init__(found)
        self.found, self.hint = found, hint


def build(cls: type[T], data: object, where: str) -> T:
    """Build a part of a card as `from_plain` does; refuse with ModelError."""
    try:
        return from_plain(cls, data, where)
    except FieldError as error:
        refuse(error.found)


def from_plain(cls: type[T], data: object, where: str = "") -> T:
    """Build a dataclass from plain values of JSON or TOML.

    Keys must be those of the dataclass; those with a default may be left out. Dataclasses are built from objects and
    tuples from lists, to any depth; the types int, float, bool and str are checked, others taken as they are.

    Args:
        cls: The dataclass.
        data: Its values.
        where: Dotted name of the values, for messages.

    Raises:
        FieldError: A key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(data, dict):
        raise FieldError(f"{where} is {data!r:.60}, wanted keys with values", "Give its keys one by one.")
    fields = {item.name: item for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    start = f"{where}." if where else ""
    for key in data:
        if key not in fields:
            near = difflib.get_close_matches(str(key)[:40], fields, n=1)
            hint = f"Did you mean {start}{near[0]}?" if near else f"Known here: {', '.join(fields)}."
            raise FieldError(f"{start}{str(key)[:40]} is unknown", hint)
    for name, item in fields.items():
        no_default = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if no_default and name not in data:
            raise FieldError(f"{start}{name} is missing", "Add it.")
    hints = typing.get_type_hints(cls)
    return cls(**{name: _convert(hints[name], value, start + name) for name, value in data.items()})


def scalar(name: str, value: object, wanted: Any) -> None:
    """Refuse a value that isn't of the wanted type, where that is int, float, bool or str."""
    try:
        _convert(wanted, value, name)
    except FieldError as error:
        refuse(error.found)


def _convert(hint: Any, value: Any, name: str) -> Any:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else from_plain(hint, value, name)
    if typing.get_origin(hint) is tuple:
        return _convert_tuple(typing.get_args(hint), value, name)
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits, wanted = {
        int: (whole, "a whole number"),
        float: (isinstance(value, float) or (whole and _fits(value)), "a number"),
        bool: (isinstance(value, bool), "true or false"),
        str: (isinstance(value, str), "text"),
    }.get(hint, (True, ""))
    if not fits:
        raise FieldError(f"{name} is {value!r:.60}, wanted {wanted}", "Correct the value.")
    return float(value) if hint is float else value


def _convert_tuple(hints: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise FieldError(f"{name} is {value!r:.60}, wanted a list", "Write it as [a, b].")
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        raise FieldError(f"{name} has {len(value)} values, wanted {len(hints)}", "Write it as [a, b].")
    return tuple(_convert(hint, each, f"{name}[{i}]") for i, (hint, each) in enumerate(zip(hints, value)))


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
