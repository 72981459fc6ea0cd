"""Count class values and pairs of them, by pixels and by area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized

import numpy as np

from backend.core.arrays import DoubleArray, IndexArray, IntArray
from backend.core.errors import InputError

MAX_CLASSES = 256
# Spans of values below this use a lookup table, larger ones are sorted.
TABLE = 2**16


class Tally:
    """Count map values, and pairs of map and reference value.

    Attributes:
        mapped: Pixels and area of each map value, with or without a reference.
    """

    def __init__(self) -> None:
        self.mapped: dict[int, tuple[int, float]] = {}
        self._pairs: dict[tuple[int, int], tuple[int, float]] = {}

    def add_mapped(self, values: IntArray, areas: DoubleArray) -> None:
        """Count pixels of the map: values and areas, flat and of equal length.

        Raises:
            InputError: There are more than MAX_CLASSES values.
        """
        if values.size:
            found, codes = distinct(values)
            _add(self.mapped, found.tolist(), codes, areas)
            check_number(self.mapped, "the map")

    def add_pairs(self, mapped: IntArray, reference: IntArray, areas: DoubleArray) -> None:
        """Count pixels that have both values: three flat arrays of equal length.

        Raises:
            InputError: There are more than MAX_CLASSES values in the reference.
        """
        if not mapped.size:
            return
        (rows, row_codes), (columns, column_codes) = distinct(mapped), distinct(reference)
        check_number(columns, "the reference")
        keys = [(int(row), int(column)) for row in rows for column in columns]
        _add(self._pairs, keys, row_codes * columns.size + column_codes, areas)
        check_number(self.reference_values(), "the reference")

    def relabel(self, values: Mapping[int, int]) -> None:
        """Replace reference values of the pairs; pairs that become equal are added up."""
        pairs, self._pairs = self._pairs, {}
        for (row, column), (count, area) in pairs.items():
            key = row, values.get(column, column)
            before = self._pairs.get(key, (0, 0.0))
            self._pairs[key] = before[0] + count, before[1] + area

    def reference_values(self) -> list[int]:
        """Return the reference values of the pairs, ascending."""
        return sorted({column for _, column in self._pairs})

    def compared_areas(self) -> dict[int, float]:
        """Return the area of each map value that has a reference, values ascending."""
        areas: dict[int, float] = {}
        for (row, _), (_, area) in sorted(self._pairs.items()):
            areas[row] = areas.get(row, 0.0) + area
        return areas

    def matrices(self, classes: Sequence[int]) -> tuple[IntArray, DoubleArray]:
        """Return pixels and areas of the pairs, [reference class, map class], both in the order of `classes`."""
        place = {value: index for index, value in enumerate(classes)}
        counts, areas = np.zeros((len(classes),) * 2, np.int64), np.zeros((len(classes),) * 2)
        for (row, column), (count, area) in self._pairs.items():
            counts[place[column], place[row]], areas[place[column], place[row]] = count, area
        return counts, areas


def distinct(values: IntArray) -> tuple[IntArray, IndexArray]:
    """Return distinct values, ascending, and the index of each: `numpy.unique`, faster for small spans."""
    low, high = int(values.min()), int(values.max())
    if high - low >= TABLE:
        found, codes = np.unique(values, return_inverse=True)
        return found, codes.reshape(values.shape)
    shifted = values - low
    there = np.bincount(shifted, minlength=high - low + 1) > 0
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[shifted]


def check_number(values: Sized, what: str) -> None:
    """Check that there are no more values than classes can have.

    Raises:
        InputError: There are more than MAX_CLASSES.
    """
    if len(values) > MAX_CLASSES:
        raise InputError(
            f"There are more than {MAX_CLASSES} different values in {what}; these are not classes.",
            "Give a raster of classes, not of continuous values or counts.",
        )


def _add(table: dict, keys: Sequence, codes: IndexArray, areas: DoubleArray) -> None:  # type: ignore[type-arg]
    counts = np.bincount(codes, minlength=len(keys))
    sums = np.bincount(codes, weights=areas, minlength=len(keys))
    for key, count, area in zip(keys, counts.tolist(), sums.tolist()):
        if count:
            before = table.get(key, (0, 0.0))
            table[key] = before[0] + count, before[1] + area
