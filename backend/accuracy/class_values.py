"""Read values of classes: numbers given as text, and the field of features that holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from backend.core.errors import InputError
from backend.raster.geojson import Feature

MOST_CLASS = 2**53  # of which all are kept, as integers and as floating-point numbers
WHOLE = re.compile(r"[+-]?[0-9]{1,400}")


def integer_label(value: Any) -> int | None:
    """Return a class value given as 10, 10.0 or "10"; None for anything else.

    Raises:
        InputError: It is beyond MOST_CLASS.
    """
    if isinstance(value, str):
        try:
            value = int(value) if WHOLE.fullmatch(value.strip()) else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    check_class_number(int(value), "The class")
    return int(value)


def check_class_number(value: int, what: str) -> None:
    """Check a number of a class.

    Raises:
        InputError: It is beyond MOST_CLASS.
    """
    if abs(value) > MOST_CLASS:
        shown = str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
        raise InputError(
            f"{what} is {shown}; numbers of classes lie between -{MOST_CLASS} and {MOST_CLASS}.",
            "Renumber the classes from 1 on.",
        )


def field_values(features: Sequence[Feature], field: str | None) -> list[Any]:
    """Return the property `field` of each feature, None where missing; without a name, the only property there is.

    Raises:
        InputError: No feature has the property, or there are several and none is named.
    """
    known = list(dict.fromkeys(name for feature in features for name in feature.properties))
    if field is None and len(known) == 1:
        field = known[0]
    if field not in known:
        asked = "No class field is named" if field is None else f"There is no field {field!r}"
        raise InputError(f"{asked}; the features have: {', '.join(known) or 'no fields'}.", "Name one of these fields.")
    return [feature.properties.get(field) for feature in features]
