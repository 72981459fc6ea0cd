"""Sample values of a raster for the decision on its units."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from backend.core.arrays import BoolArray, FloatArray, IndexArray
from backend.core.errors import InputError, NothingValidError
from backend.raster.source import RasterSource

# Windows per axis, and their side in pixels.
SAMPLE_WINDOWS, SAMPLE_SIDE = 8, 64
SCAN_ROWS = 256
# If nothing in the sample is valid, a raster of at most SCAN_PIXELS (a whole Sentinel-1 scene) is read wholly; of a
# larger one more windows are read.
SCAN_PIXELS, CLOSER_WINDOWS = 2**29, 20


def sample_values(source: RasterSource) -> tuple[FloatArray, BoolArray]:
    """Return values from windows all over the raster, float32 [bands, n, side], and their validity.

    The windows are not limited to the extent, so that a lake or a town gets the units of its raster. The extent is
    sampled only if the whole raster has no valid pixel there, or can't be read.

    Raises:
        InputError: No pixel of the extent is valid, or, if it is larger than SCAN_PIXELS, no pixel that was read.
    """
    height, width = source.grid.height, source.grid.width
    with suppress(InputError):
        values, valid = _windows(source, *source.whole)
        if valid.any():
            return values, valid
    values, valid = _windows(source, 0, 0, height, width)
    if valid.any():
        return values, valid
    # Little of the extent is valid: read it strip by strip until a valid pixel is found.
    if height * width <= SCAN_PIXELS:
        for top in range(0, height, SCAN_ROWS):
            values, valid = source.read(top, min(height, top + SCAN_ROWS))
            if valid.any():
                return values, valid
        raise NothingValidError(
            f"{source.path} has no valid pixel in the bands and extent asked for.",
            "Check the nodata value, the bands and the extent.",
        )
    # Reading all of it would take hours.
    values, valid = _windows(source, 0, 0, height, width, CLOSER_WINDOWS)
    if valid.any():
        return values, valid
    raise NothingValidError(
        f"{source.path} ({width} x {height} pixels) has no valid pixel in any of {CLOSER_WINDOWS**2} windows.",
        "Give an extent with data, or check the nodata value and the bands.",
    )


def _windows(
    source: RasterSource, top: int, left: int, height: int, width: int, count: int = SAMPLE_WINDOWS
) -> tuple[FloatArray, BoolArray]:
    """Return windows spread over a part of the raster, `count` along each axis, stacked along the rows."""
    tall, wide = min(height, SAMPLE_SIDE), min(width, SAMPLE_SIDE)
    (first_row, first_column, _, _), (rows, columns) = source.whole, source.block_shape
    tops = _starts(top, height, tall, count, rows, first_row)
    lefts = _starts(left, width, wide, count, columns, first_column)
    parts = [source.window(int(t), int(c), tall, wide) for t in tops for c in lefts]
    return np.concatenate([p[0] for p in parts], axis=-2), np.concatenate([p[1] for p in parts], axis=-2)


def _starts(begin: int, size: int, side: int, count: int, block: int, first: int) -> IndexArray:
    """Return where windows begin along an axis: evenly spread.

    On large rasters those are moved back that would reach from one block into the next, which is decoded whole, or
    fetched from a server: a third fewer blocks are read.

    Args:
        begin: First pixel.
        size: Pixels that are spread over.
        side: Of a window.
        count: Windows.
        block: Pixels of a block.
        first: Where the first block begins.
    """
    even = np.linspace(begin, begin + size - side, count).astype(int)
    if (size - side) // max(1, count - 1) >= block >= side:
        reach = (even - first) % block + side - block
        even[1:-1] -= np.maximum(reach, 0)[1:-1]
    starts: IndexArray = np.unique(even)
    return starts
