"""Resample, axis by axis, between the grid of a raster and a coarser or finer one with the same axes and origin.

The grid of the model differs from that of the raster by one factor per axis. So no reprojection is needed, area
averages and bilinear weights are exact, and rows can be streamed.
"""

from __future__ import annotations

import math

import numpy as np

from backend.core.arrays import FloatArray, IndexArray

# Relative difference of pixel sizes below which nothing is resampled.
TOLERANCE = 0.01
# Finer grids add no information, only work that grows with the square.
MAX_REFINE = 4.0


def scale_factor(pixel_m: float, gsd_m: float) -> float:
    """Return raster pixels per model pixel along an axis: 1 within TOLERANCE, at least 1 / MAX_REFINE."""
    if abs(pixel_m / gsd_m - 1) <= TOLERANCE:
        return 1.0
    return max(gsd_m / pixel_m, 1 / MAX_REFINE)


def scaled_size(size: int, factor: float) -> int:
    """Return the number of model pixels that cover `size` raster pixels."""
    return max(1, math.ceil(size / factor - 1e-9))


def average_taps(targets: IndexArray, size: int, factor: float) -> tuple[IndexArray, FloatArray]:
    """Return source indices and weights, both [targets, taps], of cells `factor` source pixels long, by shared area."""
    start = targets * factor
    end = np.minimum(start + factor, size)
    # At most as many taps as pixels, for any size of a cell.
    index = np.floor(start).astype(np.intp)[:, None] + np.arange(min(math.floor(factor) + 2, size))
    shared = np.minimum(end[:, None], index + 1) - np.maximum(start[:, None], index)
    return np.clip(index, 0, size - 1), np.maximum(shared, 0).astype(np.float32)


def bilinear_taps(targets: IndexArray, size: int, factor: float) -> tuple[IndexArray, FloatArray]:
    """Return source indices and weights, both [targets, 2], for linear interpolation; pixels are `factor` long."""
    centre = (targets + 0.5) * factor - 0.5
    low = np.floor(centre)
    part = centre - low
    index = low.astype(np.intp)[:, None] + np.arange(2)
    return np.clip(index, 0, size - 1), np.stack((1 - part, part), axis=1).astype(np.float32)


def nearest_index(targets: IndexArray, size: int, factor: float) -> IndexArray:
    """Return the index, [targets], of the source pixel that contains the centre of each target."""
    index: IndexArray = np.minimum(np.floor((targets + 0.5) * factor).astype(np.intp), size - 1)
    return index


def combine(data: FloatArray, index: IndexArray, weight: FloatArray, axis: int) -> FloatArray:
    """Return weighted sums of slices of `data` along `axis` (1 rows, 2 columns); float32 [channels, rows, columns]."""
    shape = (1, -1, 1) if axis == 1 else (1, 1, -1)
    total = np.take(data, index[:, 0], axis) * weight[:, 0].reshape(shape)
    for tap in range(1, index.shape[1]):
        if weight[:, tap].any():
            total += np.take(data, index[:, tap], axis) * weight[:, tap].reshape(shape)
    return total
