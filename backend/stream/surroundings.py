"""Measure, while the rows of a class map pass, how much of each pixel's surroundings has its class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray

# Pixels of the model from a pixel to each side of the square around it: 310 m across at 10 m.
REACH = 15
# Rows that are measured together; each time, twice the reach of rows is counted again.
ROWS = 64

Classes = NDArray[np.uint8]


def share_of_class(classes: Classes, reach: tuple[int, int]) -> FloatArray:
    """Return the share of valid pixels in the square around each pixel that have its class.

    Args:
        classes: uint8 [rows, width], 0 for nodata.
        reach: Rows and columns from a pixel to the edges of the square, which ends at the edges of `classes`.

    Returns:
        float32 [rows, width], above 0 and up to 1; 0 for nodata.
    """
    valid = _box(classes > 0, reach)
    result = np.zeros(classes.shape, dtype=np.float32)
    for value in np.flatnonzero(np.bincount(classes.ravel(), minlength=1)[1:]) + 1:
        mine = classes == value
        result[mine] = _box(mine, reach)[mine] / valid[mine]
    return result


def _box(mask: BoolArray, reach: tuple[int, int]) -> NDArray[np.int32]:
    """Count true pixels in the square around each pixel, by differences of sums from the corner."""
    height, width = mask.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int32)
    np.cumsum(mask, axis=0, dtype=np.int32, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    (top, bottom), (left, right) = (_edges(size, far) for size, far in zip(mask.shape, reach))
    rows = sums[bottom] - sums[top]
    result: NDArray[np.int32] = rows[:, right] - rows[:, left]
    return result


def _edges(size: int, reach: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    places = np.arange(size)
    return np.maximum(places - reach, 0), np.minimum(places + reach + 1, size)


class Surroundings:
    """Take the rows of a class map in order, and write for each the share of its surroundings that has its class.

    Rows are written as soon as all rows that their squares reach have come.

    Args:
        reach: Rows and columns from a pixel to the edges of its square.
        write: Gets shares float32 [1, rows, width] in order, and validity bool [rows, width].
    """

    def __init__(self, reach: tuple[int, int], write: Callable[[FloatArray, BoolArray], None]) -> None:
        self._reach, self._write = reach, write
        self._rows: list[Classes] = []
        # Rows at the beginning of `_rows` that were written before, and are counted only.
        self._above, self._held = 0, 0

    def push(self, classes: Classes) -> None:
        """Take rows uint8 [rows, width], 0 for nodata; they are kept and must not change."""
        self._rows.append(classes)
        self._held += len(classes)
        ready = self._held - self._above - self._reach[0]
        if ready >= ROWS:
            self._emit(ready)

    def finish(self) -> None:
        """Write the rows that are left, whose squares end at the last row."""
        if self._held > self._above:
            self._emit(self._held - self._above)

    def _emit(self, count: int) -> None:
        held = np.concatenate(self._rows)
        ready = slice(self._above, self._above + count)
        self._write(share_of_class(held, self._reach)[ready][None], held[ready] > 0)
        first = max(0, ready.stop - self._reach[0])
        # A copy, so that the rows before it are freed.
        self._rows, self._above = [held[first:].copy()], ready.stop - first
        self._held = len(held) - first
