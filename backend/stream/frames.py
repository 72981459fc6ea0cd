"""Read network input from a raster: in its own pixels, or resampled to the pixel size of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray, IndexArray
from backend.radiometry.convert import (
    from_linear,
    normalise,
    prepare,
    to_linear,
    to_scale,
)
from backend.radiometry.units import Units
from backend.raster.blocks import row_parts
from backend.raster.grid import Grid
from backend.raster.resample import average_taps, bilinear_taps, combine, scaled_size

# Raster rows held at once while averaging to a coarser grid.
CHUNK_ROWS = 256


class Rows(Protocol):
    """Give rows of a raster, as `backend.raster.source.RasterSource` does."""

    grid: Grid

    @property
    def whole(self) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the whole raster, of which the grid may be a part."""

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the values float32 [bands, rows, width] and validity [rows, width] of some rows."""


class NativeFrame:
    """Read the raster's own pixels.

    Args:
        source: Opened raster.
        bands: The card's bands.
        units: Unit of the raster's values, decided.
    """

    def __init__(self, source: Rows, bands: Sequence[Band], units: Units) -> None:
        self.source, self.bands, self.units = source, bands, units
        self.height, self.width = source.grid.height, source.grid.width

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the network input float32 [bands, rows, width] and validity [rows, width]."""
        parts = list(row_parts(top, bottom, -self.source.whole[0]))
        if len(parts) == 1:
            return self._part(top, bottom)
        x = np.empty((len(self.bands), bottom - top, self.width), dtype=np.float32)
        valid = np.empty(x.shape[1:], dtype=np.bool_)
        for first, end in parts:
            rows = slice(first - top, end - top)
            x[:, rows], valid[rows] = self._part(first, end)
        return x, valid

    def _part(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        return prepare(*self.source.read(top, bottom), self.bands, self.units)


class ScaledFrame:
    """Resample the raster to the model's pixel size, in linear power: averaged when coarser, bilinear when finer.

    Args:
        source: Opened raster.
        bands: The card's bands.
        units: Unit of the raster's values, decided.
        factors: Raster pixels per model pixel, down and across.
    """

    def __init__(self, source: Rows, bands: Sequence[Band], units: Units, factors: tuple[float, float]) -> None:
        self._source, self._bands, self._units, self._factors = source, bands, units, factors
        self.height = scaled_size(source.grid.height, factors[0])
        self.width = scaled_size(source.grid.width, factors[1])

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the network input float32 [bands, rows, width] and validity [rows, width], in model pixels.

        A model pixel is valid where any raster pixel under it is, so that every valid pixel gets an answer.
        """
        step = max(1, int(CHUNK_ROWS / self._factors[0]))
        parts = [self._chunk(row, min(bottom, row + step)) for row in range(top, bottom, step)]
        return np.concatenate([x for x, _ in parts], axis=1), np.concatenate([v for _, v in parts])

    def _chunk(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        index, weight = self._taps(np.arange(top, bottom), 0)
        first = int(index.min())
        values, valid = self._source.read(first, int(index.max()) + 1)
        _, good = to_scale(values, valid, self._bands, self._units)
        linear = np.where(good, to_linear(np.where(good, values, 0), self._bands, self._units), np.float32(0))
        stack = np.concatenate((linear, good[None].astype(np.float32)))
        stack = combine(stack, index - first, weight, 1)
        stack = combine(stack, *self._taps(np.arange(self.width), 1), 2)
        total, valid = stack[-1], stack[-1] > 0
        scaled = from_linear(stack[:-1] / np.where(valid, total, np.float32(1)), self._bands)
        return normalise(scaled, valid, self._bands), valid

    def _taps(self, targets: IndexArray, axis: int) -> tuple[IndexArray, FloatArray]:
        factor = self._factors[axis]
        size = (self._source.grid.height, self._source.grid.width)[axis]
        return (average_taps if factor > 1 else bilinear_taps)(targets, size, factor)


class FilledFrame:
    """Complete a frame of some of the model's bands; the missing ones are 0, as in training.

    Args:
        frame: Frame of the bands that are there.
        present: Their positions among the model's bands.
        count: Number of the model's bands.
    """

    def __init__(self, frame: NativeFrame | ScaledFrame, present: Sequence[int], count: int) -> None:
        self.frame, self.present, self.count = frame, list(present), count
        self.height, self.width = frame.height, frame.width

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the network input float32 [count, rows, width] and validity [rows, width]."""
        values, valid = self.frame.read(top, bottom)
        filled = np.zeros((self.count, *valid.shape), dtype=np.float32)
        filled[self.present] = values
        return filled, valid
