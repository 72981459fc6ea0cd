"""Filter speckle over time, and measure the equivalent number of looks.

The filter is that of Quegan and Yu 2001, "Filtering of multichannel SAR images", IEEE Transactions on Geoscience and
Remote Sensing 39(11), with equal weights: each date keeps its own level, and gets the mean over all dates of how far
each lies above or below the level around it. Dates whose speckle is independent are assumed.
"""

from __future__ import annotations

import math

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray, FloatArray, IntArray

# Pixels on either side of a pixel whose mean is the level of a date there.
REACH = 3
# Side of the blocks in which looks are measured, and bins of their logarithm to the base of 2.
BLOCK = 8
BINS, STEP, LEAST = 400, 0.05, -4.0


def filtered(power: FloatArray) -> FloatArray:
    """Return the dates of one band with less speckle.

    Args:
        power: Linear power [dates, H, W], NaN where invalid.

    Returns:
        float32 [dates, H, W]; NaN where a date is invalid. The outer REACH pixels lack neighbours that the raster has.
    """
    total = np.zeros(power.shape[1:], dtype=np.float64)
    count = np.zeros(power.shape[1:], dtype=np.int32)
    levels = np.empty_like(power)
    for date, plane in enumerate(power):
        levels[date] = local_mean(plane)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = plane / levels[date]
        there = np.isfinite(ratio)
        np.add(total, ratio, out=total, where=there)
        count += there
    with np.errstate(invalid="ignore", divide="ignore"):
        levels *= (total / count).astype(np.float32)
    levels[~np.isfinite(power)] = math.nan
    return levels


def local_mean(plane: FloatArray) -> FloatArray:
    """Return the mean of the valid pixels within REACH of each, float32 [H, W]; NaN where there is none."""
    valid = np.isfinite(plane)
    total = _box(np.where(valid, plane, 0).astype(np.float64))
    count = _box(valid.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: FloatArray = np.where(count > 0.5, total / count, np.nan).astype(np.float32)
    return mean


def _box(plane: DoubleArray) -> DoubleArray:
    """Return sums over squares of 2 REACH + 1 pixels, cut off at the edges."""
    for axis in (0, 1):
        # Pixel by pixel, not by differences of running sums, which would keep roundings of bright points.
        total = plane.copy()
        for step in range(1, REACH + 1):
            ahead = (slice(step, None), slice(None)) if axis == 0 else (slice(None), slice(step, None))
            behind = (slice(None, -step), slice(None)) if axis == 0 else (slice(None), slice(None, -step))
            total[behind] += plane[ahead]
            total[ahead] += plane[behind]
        plane = total
    return plane


class LooksMeter:
    """Measure the equivalent number of looks: the median over blocks of the squared mean over the variance.

    Texture lowers it, so that it is a lower bound; before and after a filter it is comparable.
    """

    def __init__(self) -> None:
        self._counts: IntArray = np.zeros(BINS, dtype=np.int64)

    def add(self, power: FloatArray) -> None:
        """Count the whole, valid blocks of a plane [H, W]."""
        down, across = power.shape[0] // BLOCK, power.shape[1] // BLOCK
        if not down or not across:
            return
        cut = power[: down * BLOCK, : across * BLOCK].astype(np.float64).reshape(down, BLOCK, across, BLOCK)
        mean, variance = cut.mean(axis=(1, 3)), cut.var(axis=(1, 3), ddof=1)
        good: BoolArray = np.isfinite(mean) & (variance > 0)
        bins = (np.log2(mean[good] ** 2 / variance[good]) - LEAST) / STEP
        self._counts += np.bincount(np.clip(bins, 0, BINS - 1).astype(np.int64), minlength=BINS)

    def median(self) -> float | None:
        """Return the looks; None if no block was whole."""
        total = self._counts.sum()
        if not total:
            return None
        return float(2 ** (LEAST + STEP * (0.5 + int(np.searchsorted(np.cumsum(self._counts), total / 2)))))
