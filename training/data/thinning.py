"""Evenly spaced pixels of a raster too large to be read whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.core.arrays import BoolArray, FloatArray, IntArray
from backend.raster.source import RasterSource
from training.data.coverage import probe_shape

# With a copy reduced at least so far there is little to read.
ENOUGH_REDUCED = 8


def thinned(source: RasterSource) -> tuple[FloatArray, BoolArray]:
    """Values [bands, n, m] and validity [n, m] of pixels at even distances, as many as coverage wants.

    From overviews where the file has them. GDAL's own thinning of a file without them would decode each block again
    for each row of pixels that lies in it; here each is read once.

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
    """Places of `count` evenly spaced pixels along an axis, block by block, with their numbers."""
    places = ((np.arange(count) + 0.5) / count * size).astype(np.int64)
    starts = np.flatnonzero(np.diff(places // block, prepend=-1))
    for start, end in zip(starts, [*starts[1:], count]):
        yield slice(int(start), int(end)), places[start:end]
