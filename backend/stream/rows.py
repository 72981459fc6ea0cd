"""Read rows of tiles one after another; the rows that two of them share are read and prepared once."""

from __future__ import annotations

from typing import Protocol, Union, cast

import numpy as np

from backend.core.arrays import BoolArray, FloatArray, IndexArray
from backend.raster.blocks import row_parts
from backend.stream.tiling import TilePlan

Rows = tuple[FloatArray, BoolArray, Union[IndexArray, slice]]


class Frame(Protocol):
    """Give network input by rows."""

    height: int
    width: int

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the network input float32 [bands, rows, width] and validity [rows, width] of some rows."""


class TileRows:
    """Hold one row of tiles of a frame at a time, in the same memory.

    Args:
        frame: Source of network input.
        plan: Tiles over it.
    """

    def __init__(self, frame: Frame, plan: TilePlan) -> None:
        self._frame, self._plan = frame, plan
        self._x: FloatArray | None = None
        self._valid: BoolArray = np.zeros((plan.tile, frame.width), dtype=np.bool_)
        self._top = self._bottom = 0  # rows of the frame that are held

    def read(self, row: int) -> Rows:
        """Return input of a tile row, as wide as the raster and as it was read; validity, and the order of its rows.

        Beyond the raster's end rows come again: of single tiles, as a copy of the whole row is large. Input and
        validity lie in this object's memory, and are good until the next call.

        Args:
            row: Index of the tile row.
        """
        rows = self._plan.rows.sources(row)
        first = int(rows.min())
        x, valid = self._held(first, int(rows.max()) + 1)
        if self._plan.rows.origins[row] + self._plan.tile > self._frame.height:
            return x, valid[rows - first], rows - first
        return x, valid, slice(None)

    def _held(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return rows of the frame; those that are held already are moved to the front."""
        kept = 0
        if self._x is not None and self._top <= top < self._bottom:
            kept, at = self._bottom - top, top - self._top
            for plane in (*self._x, self._valid):  # one by one, or all would be copied first
                plane[:kept] = plane[at : at + kept]
        # In parts: intermediate values take as much memory again as the raster's and the network's together.
        for begin, end in row_parts(top + kept, bottom):
            self._take(begin - top, *self._frame.read(begin, end))
        self._top, self._bottom = top, bottom
        return cast(FloatArray, self._x)[:, : bottom - top], self._valid[: bottom - top]

    def _take(self, at: int, x: FloatArray, valid: BoolArray) -> None:
        if self._x is None:
            self._x = np.empty((len(x), *self._valid.shape), dtype=np.float32)
        self._x[:, at : at + len(valid)], self._valid[at : at + len(valid)] = x, valid
