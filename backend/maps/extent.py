"""Read enough around an extent for its map to be that part of the whole map, and cut the map back to the extent.

Tiles are laid over the whole raster, and those that have a share in the extent are read wholly: patches lie where they
lie in the whole map, and what a patch sees around it is the raster, not its reflection about the extent's edge. Where
pixels are resampled by a factor that is not whole, both maps may differ by a fraction of a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray
from backend.raster.grid import Grid
from backend.raster.resample import scaled_size

Rows = Callable[..., None]


@dataclass(frozen=True)
class Part:
    """Hold a rectangle of pixels (or of patches) within those that are read."""

    top: int
    left: int
    height: int
    width: int

    def in_cells(self, factors: tuple[float, float]) -> Part:
        """Return the cells that it touches, where a cell is so many pixels down and across."""
        (top, bottom), (left, right) = (
            (math.floor(start / factor + 1e-9), scaled_size(start + size, factor))
            for start, size, factor in zip((self.top, self.left), (self.height, self.width), factors)
        )
        return Part(top, left, bottom - top, right - left)

    def of(self, grid: Grid) -> Grid:
        """Return this part of a grid."""
        return grid.offset(self.top, self.left, self.height, self.width)


@dataclass(frozen=True)
class Layout:
    """Describe how tiles are laid along an axis, in the model's pixels.

    Attributes:
        tile: Side of a tile.
        stride: From one tile to the next.
        margin: What is needed beyond the pixels asked for, where answers are interpolated.
    """

    tile: int
    stride: int
    margin: int


def tiles_around(start: int, end: int, size: int, layout: Layout, factor: float) -> tuple[int, int]:
    """Return first and last (exclusive) raster pixel of the tiles over the pixels from `start` to `end` of an axis.

    Args:
        start: First pixel asked for.
        end: Last one, exclusive.
        size: Pixels of the whole raster.
        layout: Tiles.
        factor: Raster pixels for one of the model's.
    """
    tile, stride = layout.tile, layout.stride
    last = max(0, -(-(scaled_size(size, factor) - tile) // stride))
    lowest = math.floor(start / factor) - layout.margin
    highest = scaled_size(end, factor) - 1 + layout.margin
    first = min(last, max(0, (lowest - tile) // stride + 1))
    final = min(last, highest // stride)
    begin = min(start, math.floor(first * stride * factor + 1e-9))
    if final == last:
        return begin, size
    return begin, max(end, min(size, begin + math.floor(((final - first) * stride + tile) * factor + 1e-9)))


def cropped(part: Part, write: Rows) -> Rows:
    """Return a function that takes rows from top to bottom, and hands on those of a part.

    Args:
        part: Of what is handed in.
        write: Called with arrays [..., rows, columns]; not called without rows.
    """
    passed = 0

    def emit(*arrays: NDArray[Any]) -> None:
        nonlocal passed
        rows = arrays[-1].shape[-2]
        begin, end = max(part.top - passed, 0), min(part.top + part.height - passed, rows)
        passed += rows
        if begin < end:
            write(*(values[..., begin:end, part.left : part.left + part.width] for values in arrays))

    return emit


class Tally:
    """Counts the valid pixels of a part, among rows that are handed on.

    Args:
        part: Of the rows.
        emit: Gets all of them.
    """

    def __init__(self, part: Part, emit: Rows) -> None:
        self.valid, self._emit = 0, emit
        self._count = cropped(part, self._add)

    def __call__(self, rows: NDArray[Any], valid: BoolArray) -> None:
        self._count(valid)
        self._emit(rows, valid)

    def _add(self, valid: BoolArray) -> None:
        self.valid += int(np.count_nonzero(valid))
