"""Read windows of a data folder's rasters in the scale of the model's bands, and keep the files open.

Each process and thread has its own handles: GDAL's must not be shared between threads, or with the process from which
a loader worker was forked.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import rasterio

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray, IntArray
from backend.radiometry.convert import is_backscatter, to_scale
from backend.radiometry.units import Units
from backend.raster.source import RasterSource, gdal_environment
from training.data.coverage import probe_shape
from training.data.scenes import SceneFiles

# Room for the blocks around a window of a raster with many interleaved bands; one cache per process.
CACHE_BYTES = 64 * 2**20
OPEN_FILES = 48
# Smallest spread of a band, in dB, by which values are divided.
LEAST_SPREAD = 1e-3
# Overviews reduced at least this much are used for subsampling.
ENOUGH_REDUCED = 8


def folder_environment() -> rasterio.Env:
    """Return GDAL settings for folders of many files, in which no folder is listed again for each file in it."""
    return rasterio.Env(**gdal_environment(CACHE_BYTES).options, GDAL_DISABLE_READDIR_ON_OPEN="TRUE")


class _Handles(threading.local):
    """Keep the rasters of this thread open, the most recently used last."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.open: OrderedDict[tuple[object, ...], RasterSource] = OrderedDict()
        self.inherited: list[object] = []

    def get(self, files: SceneFiles, numbers: tuple[int, ...], nodata: tuple[float, ...]) -> RasterSource:
        if self.process != os.getpid():
            # After a fork the parent's handles share their file offsets. They are kept, as closing them could wait for
            # a lock that was held at the fork.
            self.inherited.append(self.open)
            self.process, self.open = os.getpid(), OrderedDict()
        key = (files.paths, numbers, nodata)
        if key not in self.open:
            while len(self.open) >= OPEN_FILES:
                self.open.popitem(last=False)[1].close()
            self.open[key] = RasterSource(files.source, numbers, nodata=nodata)
        self.open.move_to_end(key)
        return self.open[key]


_handles = _Handles()


@dataclass(frozen=True)
class Scale:
    """Convert the values of a raster to those of the card's bands.

    Attributes:
        bands: The card's bands.
        numbers: Band number (from 1) in the raster of each of them; 0 where it is missing.
        units: Unit of the backscatter.
        nodata: Nodata values in addition to the file's own.
        factor: Factor applied to all values first.
        relative: "offset" or "affine" if the level, or level and spread, are set to the card's; else "".
        levels: Mean and standard deviation of each band over the whole raster.
        filling: Position of a band, and value after the factor, of filling that is no data.
    """

    bands: tuple[Band, ...]
    numbers: tuple[int, ...]
    units: Units
    nodata: tuple[float, ...] = ()
    factor: float = 1.0
    relative: str = ""
    levels: tuple[tuple[float, float], ...] = ()
    filling: tuple[tuple[int, float], ...] = ()

    @property
    def present(self) -> list[int]:
        """Return the positions of the bands that the raster has."""
        return [i for i, number in enumerate(self.numbers) if number]

    def apply(self, values: FloatArray, valid: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Convert values.

        Args:
            values: float32 [bands present, H, W] of the raster; changed in place.
            valid: bool [H, W], where they hold data.

        Returns:
            float32 [B, H, W], dB or coherence, nan in missing bands; and validity [H, W].
        """
        if self.factor != 1:
            values *= np.float32(self.factor)
        for place, value in self.filling:
            valid = valid & (values[self.present.index(place)] != np.float32(value))
        there = [self.bands[i] for i in self.present]
        scaled, good = to_scale(values, valid, there, self.units, level_known=not self.relative)
        full = np.full((len(self.bands), *good.shape), np.nan, dtype=np.float32)
        full[self.present] = scaled
        if self.relative:
            self._set_level(full)
        return full, good

    def _set_level(self, values: FloatArray) -> None:
        for i in np.flatnonzero(is_backscatter(self.bands)):
            band, (level, spread) = self.bands[i], self.levels[i]
            values[i] -= np.float32(level)
            if self.relative == "affine":
                values[i] *= np.float32(band.std / max(spread, LEAST_SPREAD))
            values[i] += np.float32(band.mean)


def read_window(files: SceneFiles, scale: Scale, window: Sequence[int] | None = None) -> tuple[FloatArray, BoolArray]:
    """Read a window of a raster.

    Args:
        files: The raster, in one file or one for each polarisation.
        scale: Converts its values.
        window: Top, left, height and width in pixels; None for the whole raster.

    Returns:
        As of `Scale.apply`.

    Raises:
        InputError: The file can't be read.
    """
    with folder_environment():
        source = _handles.get(files, tuple(scale.numbers[i] for i in scale.present), scale.nodata)
        top, left, height, width = window or (0, 0, source.grid.height, source.grid.width)
        values, valid = source.window(top, left, height, width)
    return scale.apply(values, valid)


def read_subsampled(source: RasterSource) -> tuple[FloatArray, BoolArray]:
    """Read evenly spaced pixels, as many as `coverage.probe_shape` says: values [bands, n, m] and validity [n, m].

    Overviews are used if the file has them. Without them GDAL's own subsampling would decode each block once per row of
    pixels in it; here each block is read once.

    Raises:
        InputError: The file can't be read.
    """
    height, width = source.grid.height, source.grid.width
    shape = probe_shape(height, width)
    if max(source.overviews, default=1) >= ENOUGH_REDUCED:
        return source.window(0, 0, height, width, shape)
    values = np.empty((len(source.bands), *shape), dtype=np.float32)
    valid = np.empty(shape, dtype=np.bool_)
    for i, rows in _by_block(shape[0], height, source.block_shape[0]):
        for j, columns in _by_block(shape[1], width, source.block_shape[1]):
            top, left = int(rows[0]), int(columns[0])
            part, good = source.window(top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1)
            down, across = np.ix_(rows - top, columns - left)
            values[:, i, j], valid[i, j] = part[:, down, across], good[down, across]
    return values, valid


def _by_block(count: int, size: int, block: int) -> Iterator[tuple[slice, IntArray]]:
    """Yield evenly spaced pixels along an axis block by block: their slice among all `count`, and their positions."""
    places = ((np.arange(count) + 0.5) / count * size).astype(np.int64)
    starts = np.flatnonzero(np.diff(places // block, prepend=-1))
    for start, end in zip(starts, [*starts[1:], count]):
        yield slice(int(start), int(end)), places[start:end]
