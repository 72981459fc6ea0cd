"""Compute focal statistics for the head "forest", as `backend/network/focal.py` and `backend/graph/focal.py` do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.core.arrays import DoubleArray, FloatArray
from backend.raster.resample import bilinear_taps, combine


def window_features(x: FloatArray, windows: Sequence[int]) -> FloatArray:
    """Return the input, then its mean and standard deviation in square windows, over valid pixels only.

    Args:
        x: Network input [B, H, W]; pixels that are 0 in all bands are invalid.
        windows: Sides in pixels, odd. At borders a window holds what lies inside.

    Returns:
        float32 [F, H, W]: B bands, or B and the difference of the first two, of each kind.
    """
    exact = x.astype(np.float64)
    valid, parts = validity(x).astype(np.float64), [exact]
    for side in windows:
        count = np.maximum(windowed_sum(valid, side), 1)
        mean = windowed_sum(exact, side) / count
        square = windowed_sum(exact * exact, side) / count
        parts += [mean, np.sqrt(np.maximum(square - mean * mean, 0))]
    if len(x) > 1:
        parts = [np.concatenate((part, part[:1] - part[1:2])) for part in parts]
    result: FloatArray = np.concatenate(parts).astype(np.float32)
    return result


def validity(x: FloatArray) -> FloatArray:
    """Return 1 where a pixel of [B, H, W] is valid, else 0; [1, H, W]."""
    there: FloatArray = (x != 0).any(axis=0, keepdims=True).astype(np.float32)
    return there


def windowed_sum(x: DoubleArray, side: int) -> DoubleArray:
    """Return the sums over square windows of [C, H, W], in the same shape; nothing counts beyond the border."""
    half = side // 2
    sums = np.pad(x, ((0, 0), (half + 1, half), (half + 1, half))).cumsum(axis=1).cumsum(axis=2)
    result: DoubleArray = (
        sums[:, side:, side:] - sums[:, :-side, side:] - sums[:, side:, :-side] + sums[:, :-side, :-side]
    )
    return result


def enlarged(grid: FloatArray, tile: int) -> FloatArray:
    """Enlarge [C, rows, columns] bilinearly to [C, tile, tile]."""
    places = np.arange(tile)
    index, weight = bilinear_taps(places, grid.shape[1], grid.shape[1] / tile)
    return combine(combine(grid, index, weight, 1), index, weight, 2)
