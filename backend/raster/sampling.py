"""Values from all over a raster, by which its units are decided."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.raster.source import RasterSource

# Windows per axis, and their side, of the sample by which units are decided.
SAMPLE_WINDOWS, SAMPLE_SIDE = 8, 64
SCAN_ROWS = 256
# A raster of which nothing in the sample is valid is looked through, if it isn't larger than a whole Sentinel-1 scene;
# of a larger one more windows are looked at.
SCAN_PIXELS, CLOSER_WINDOWS = 2**29, 20


def sample_values(source: RasterSource) -> tuple[FloatArray, BoolArray]:
    """Values from all over the raster, shape [bands, n, side], with their validity, for deciding units.

    Not from the extent, so that a lake or a town gets the unit of the raster it lies in. Only where the rest
    holds nothing, or can't be read, the extent has to do.

    Raises:
        InputError: No pixel of the whole extent is valid, or, in one of many gigapixels, none that was looked at.
    """
    height, width = source.grid.height, source.grid.width
    with suppress(InputError):
        values, valid = _windows(source, *source.whole)
        if valid.any():
            return values, valid
    values, valid = _windows(source, 0, 0, height, width)
    if valid.any():
        return values, valid
    # Little of the extent is valid: look at all of it, strip by strip, until something is.
    if height * width <= SCAN_PIXELS:
        for top in range(0, height, SCAN_ROWS):
            values, valid = source.read(top, min(height, top + SCAN_ROWS))
            if valid.any():
                return values, valid
        raise InputError(
            f"{source.path} has no valid pixel in the bands and extent asked for.",
            "Check the nodata value, the bands and the extent.",
        )
    # To look at all of it would take hours.
    values, valid = _windows(source, 0, 0, height, width, CLOSER_WINDOWS)
    if valid.any():
        return values, valid
    raise InputError(
        f"{source.path} has no valid pixel in any of {CLOSER_WINDOWS**2} places that were looked at, of "
        f"{width} x {height} pixels.",
        "Give an extent that holds data, or check the nodata value and the bands.",
    )


def _windows(
    source: RasterSource, top: int, left: int, height: int, width: int, count: int = SAMPLE_WINDOWS
) -> tuple[FloatArray, BoolArray]:
    """Small windows spread over some of the raster, `count` along each axis, one under the other."""
    tall, wide = min(height, SAMPLE_SIDE), min(width, SAMPLE_SIDE)
    tops = np.unique(np.linspace(top, top + height - tall, count).astype(int))
    lefts = np.unique(np.linspace(left, left + width - wide, count).astype(int))
    parts = [source.window(int(t), int(c), tall, wide) for t in tops for c in lefts]
    return np.concatenate([p[0] for p in parts], axis=-2), np.concatenate([p[1] for p in parts], axis=-2)
