"""Resample finished rows of a coarser or finer grid (model pixels, patches) to the raster's pixels, streaming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backend.core.arrays import FloatArray
from backend.raster.resample import bilinear_taps, combine, nearest_index

# Raster pixels times channels handed out at once.
PIECE_VALUES = 2**22


@dataclass(frozen=True)
class Piece:
    """Hold rows `top` to `bottom` of the raster, float32 [channels, rows, width], by either method."""

    top: int
    bottom: int
    nearest: FloatArray
    smooth: FloatArray


class Enlarger:
    """Take rows of cells from top to bottom, and return the raster rows that they determine.

    Args:
        cells: Rows and columns of the cell grid.
        pixels: Rows and columns of the raster.
        factors: Raster pixels per cell, down and across; need not be whole.
    """

    def __init__(self, cells: tuple[int, int], pixels: tuple[int, int], factors: tuple[float, float]) -> None:
        self._cells, self._pixels, self._factors = cells, pixels, factors
        self._rows: FloatArray = np.empty((0, 0, 0), np.float32)
        self._first = 0
        self._next = 0

    def push(self, rows: FloatArray) -> Iterator[Piece]:
        """Take the next rows of cells; return raster rows.

        Args:
            rows: float32 [channels + 1, n, columns]. The last channel is the weight with which the others were summed:
                below 1 where tiles without valid pixels were left out, 0 where there is nothing.
        """
        weight = rows[-1:]
        there = weight > 0
        values = np.where(there, rows[:-1] / np.where(there, weight, np.float32(1)), np.float32(0))
        stack = np.concatenate((values, there.astype(np.float32)))
        self._rows = np.concatenate((self._rows, stack), axis=1) if self._rows.size else stack
        ready = self._ready()
        step = max(1, PIECE_VALUES // (stack.shape[0] * self._pixels[1]))
        for top in range(self._next, ready, step):
            yield self._piece(top, min(ready, top + step))
        self._next = ready
        self._forget()

    def _ready(self) -> int:
        """Return the raster rows whose cells have all arrived."""
        arrived = self._first + self._rows.shape[1]
        if arrived >= self._cells[0]:
            return self._pixels[0]
        # The last cell row needed by raster row i is floor((i + 0.5) / factor - 0.5) + 1.
        ready = int((arrived - 0.5) * self._factors[0] - 0.5)
        return max(self._next, min(ready, self._pixels[0]))

    def _piece(self, top: int, bottom: int) -> Piece:
        rows, columns = np.arange(top, bottom), np.arange(self._pixels[1])
        down, across = 1 / self._factors[0], 1 / self._factors[1]
        near = nearest_index(rows, self._cells[0], down) - self._first
        nearest = self._rows[:-1, near][:, :, nearest_index(columns, self._cells[1], across)]
        index, weight = bilinear_taps(rows, self._cells[0], down)
        smooth = combine(self._rows, index - self._first, weight, 1)
        smooth = combine(smooth, *bilinear_taps(columns, self._cells[1], across), 2)
        there = smooth[-1] > 0
        return Piece(top, bottom, nearest, smooth[:-1] / np.where(there, smooth[-1], np.float32(1)))

    def _forget(self) -> None:
        """Drop the rows of cells that lie above everything still to come."""
        needed = int(np.floor((self._next + 0.5) / self._factors[0] - 0.5))
        drop = min(max(0, needed - self._first), self._rows.shape[1])
        self._rows = self._rows[:, drop:].copy()
        self._first += drop
