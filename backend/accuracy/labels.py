"""Find the class value of each feature of a reference: a number, a name on the map, or what a mapping says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.accuracy.class_values import integer_label
from backend.accuracy.merging import values_by_name


def feature_labels(
    values: Sequence[Any], mapping: Mapping[str, int], names: Mapping[int, str]
) -> tuple[list[int | None], dict[str, int]]:
    """Return the class value of each feature (None if it has none), and the number of features of each unknown name.

    Args:
        values: Value of the class field of each feature.
        mapping: Value or name, as text, to map value.
        names: Class names of the map.
    """
    by_name = values_by_name(names)
    mapping = {text.strip().casefold(): value for text, value in mapping.items()}
    labels: list[int | None] = []
    unknown: dict[str, int] = {}
    for value in values:
        if isinstance(value, (dict, list)):
            value = None
        number = integer_label(value)
        text = str(number if number is not None else "" if value is None else value).strip()
        label = mapping.get(text.casefold(), number if number is not None else by_name.get(text.casefold()))
        if label is None and text:
            unknown[text] = unknown.get(text, 0) + 1
        labels.append(label)
    return labels, unknown
