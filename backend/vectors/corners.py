"""Remember which corners of pixels are points of borders: one bit each, 13 MB for 100 megapixels."""

from __future__ import annotations

import numpy as np

from backend.core.arrays import BoolArray, IntArray


class CornerMap:
    """Keep a bit for each corner of the pixels of a map.

    Args:
        height: Rows of the map.
        width: Columns.
    """

    def __init__(self, height: int, width: int) -> None:
        self._bits = np.zeros((height + 1, (width + 8) // 8), np.uint8)

    def add(self, top: int, points: BoolArray) -> None:
        """Set the corners of some rows, [rows, width + 1], from row `top` on."""
        self._bits[top : top + points.shape[0]] = np.packbits(points, axis=1)

    def within(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[IntArray, IntArray]:
        """Return row and column of the points in a box, bounds included."""
        left = columns[0] // 8
        part = self._bits[rows[0] : rows[1] + 1, left : columns[1] // 8 + 1]
        found = np.unpackbits(part, axis=1)[:, columns[0] - 8 * left : columns[1] - 8 * left + 1]
        row, column = np.nonzero(found)
        return row + rows[0], column + columns[0]
