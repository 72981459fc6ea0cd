"""Store on a coarse grid where a raster holds data, to choose windows without reading pixels."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray, IntArray

# A cell is about this many pixels wide; wider in rasters that would have more than MOST_CELLS along an axis.
CELL, MOST_CELLS = 32, 256
# Pixels read along each axis of a cell where reading all of them would take too long.
PROBES = 4


def cells_along(pixels: int) -> int:
    """Return the number of equal cells along an axis."""
    return min(MOST_CELLS, max(1, round(pixels / CELL)))


def probe_shape(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns to which a large raster is subsampled before it is measured."""
    return min(height, PROBES * cells_along(height)), min(width, PROBES * cells_along(width))


@dataclass(frozen=True)
class Coverage:
    """Hold the valid share of each cell.

    Attributes:
        height: Height of the raster, in pixels.
        width: Width of the raster, in pixels.
        cells: uint8 [rows, columns], from 0 (no pixel is valid) to 255 (all are).
    """

    height: int
    width: int
    cells: NDArray[np.uint8]

    @staticmethod
    def measure(valid: BoolArray, height: int, width: int) -> Coverage:
        """Measure the validity of all pixels, or of an even subsample, of a raster of this height and width."""
        totals: NDArray[Any] = valid
        counts = np.ones((1, 1), dtype=np.int64)
        for axis, pixels in enumerate((height, width)):
            places = (np.arange(valid.shape[axis]) + 0.5) / valid.shape[axis]
            starts = np.searchsorted(places, np.arange(cells_along(pixels)) / cells_along(pixels))
            totals = np.add.reduceat(totals, starts, axis=axis, dtype=np.int64)
            sizes = np.diff(starts, append=valid.shape[axis])
            counts = counts * np.expand_dims(sizes, 1 - axis)
        share = totals / counts
        # 255 and 0 are kept for cells that are wholly valid or invalid.
        cells = np.clip(np.round(share * 255), np.where(share > 0, 1, 0), np.where(share < 1, 254, 255))
        return Coverage(height, width, cells.astype(np.uint8))

    def pack(self) -> str:
        """Return a text; it is empty where all is valid."""
        if (self.cells == 255).all():
            return ""
        return base64.b64encode(zlib.compress(self.cells.tobytes())).decode("ascii")

    @staticmethod
    @lru_cache(maxsize=4096)
    def unpack(text: str, height: int, width: int) -> Coverage:
        """Read the result of `pack`; remembered, as each draw from a raster asks for it.

        Raises:
            ValueError: The text is damaged.
        """
        shape = cells_along(height), cells_along(width)
        if not text:
            return Coverage(height, width, np.full(shape, 255, dtype=np.uint8))
        try:
            data = zlib.decompress(base64.b64decode(text))
        except zlib.error as error:
            raise ValueError(str(error)) from error
        return Coverage(height, width, np.frombuffer(data, dtype=np.uint8).reshape(shape))

    @cached_property
    def _below(self) -> DoubleArray:
        """Sum the shares above and left of each cell corner; float64 [rows + 1, columns + 1]."""
        total = np.zeros((self.cells.shape[0] + 1, self.cells.shape[1] + 1))
        total[1:, 1:] = (self.cells / 255).cumsum(axis=0).cumsum(axis=1)
        return total

    def share(self, tops: IntArray, lefts: IntArray, side: int) -> DoubleArray:
        """Estimate the valid share of square windows, as far as they lie in the raster.

        Args:
            tops: [N] first rows.
            lefts: [N] first columns.
            side: Side in pixels.

        Returns:
            [N] from 0 to 1.
        """
        down, across = self.cells.shape[0] / self.height, self.cells.shape[1] / self.width
        top, left = tops * down, lefts * across
        bottom, right = np.minimum(tops + side, self.height) * down, np.minimum(lefts + side, self.width) * across
        total = self._at(bottom, right) - self._at(top, right) - self._at(bottom, left) + self._at(top, left)
        result: DoubleArray = total / ((bottom - top) * (right - left))
        return result

    def _at(self, row: DoubleArray, column: DoubleArray) -> DoubleArray:
        # Between corners the sum of shares is bilinear.
        i = np.minimum(row.astype(np.int64), self.cells.shape[0] - 1)
        j = np.minimum(column.astype(np.int64), self.cells.shape[1] - 1)
        y, x, below = row - i, column - j, self._below
        upper = below[i, j] * (1 - x) + below[i, j + 1] * x
        lower = below[i + 1, j] * (1 - x) + below[i + 1, j + 1] * x
        result: DoubleArray = upper * (1 - y) + lower * y
        return result
