"""Estimate the equivalent number of looks of a mean over a window, from two dates of one place.

The logarithm of the ratio of two dates holds no texture of the ground that both share: what is left within a small
block is speckle, and changes. Its variance is twice the trigamma function of the looks of a pixel (the variance of the
logarithm of a gamma variable), its autocovariance gives the correlation of neighbouring pixels. Changes that
vary slowly over a block add the same to all lags, and are taken off by the lags beyond the reach of the resolution
cell; blocks with sharp changes are few, and a median over blocks ignores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, polygamma

from backend.core.arrays import BoolArray, DoubleArray, FloatArray
from backend.core.errors import InputError

BLOCK = 32
# Lags up to REACH may be correlated: 1.5 resolution cells of Sentinel-1 IW at 10 m, oversampled or resampled. Those
# from FAR to FARTHEST are not.
REACH, FAR, FARTHEST = 5, 6, 8
# Fewest blocks for a median.
MIN_BLOCKS = 4
# Range in which the looks of a pixel are searched.
LOOKS = (0.3, 3000.0)
# Terms of the series of `intensity_correlation`.
TERMS = 400


@dataclass(frozen=True)
class Looks:
    """Hold the estimated looks of one polarisation.

    Attributes:
        pixel: Equivalent number of looks of a pixel.
        window: That of the mean over the window.
        neighbour: Correlation of the power of neighbouring pixels, mean of both directions.
        blocks: Number of blocks that it was found in.
    """

    pixel: float
    window: float
    neighbour: float
    blocks: int


def estimate_looks(windows: Sequence[tuple[FloatArray, BoolArray]], size: int, given: float | None = None) -> Looks:
    """Estimate looks from log-ratios of two dates.

    Args:
        windows: Places all over the scene: natural logarithm of the ratio [H, W], and validity [H, W].
        size: Side of the window, in pixels.
        given: Looks of a pixel, if they are known; correlation is estimated all the same.

    Raises:
        InputError: The dates are the same, or there are too few whole blocks.
    """
    blocks = [block for values, valid in windows for block in _whole_blocks(values, valid)]
    if len(blocks) < MIN_BLOCKS:
        raise InputError(
            f"Looks can't be estimated: only {len(blocks)} places of {BLOCK} x {BLOCK} pixels have values at both "
            f"dates everywhere, and {MIN_BLOCKS} are the least.",
            "Give rasters that overlap more and have fewer holes.",
        )
    covariance = np.median(_autocovariances(np.stack(blocks)), axis=0)
    far = _distance() >= FAR
    variance = float(covariance[FARTHEST, FARTHEST] - np.median(covariance[far]))
    if variance <= 2 * float(polygamma(1, LOOKS[1])):
        raise InputError(
            "The two dates have the same values at nearly every place: there is no speckle between them.",
            "Give two different acquisitions.",
        )
    looks = given or _looks_of(variance / 2)
    logs = np.clip((covariance - np.median(covariance[far])) / variance, -1, 1)
    logs[_distance() > REACH] = 0.0
    correlation = intensity_correlation(logs, looks)
    correlation[FARTHEST, FARTHEST] = 1.0
    beside = [correlation[FARTHEST + 1, FARTHEST], correlation[FARTHEST, FARTHEST + 1]]
    return Looks(looks, _window_looks(looks, correlation, size), float(np.mean(beside)), len(blocks))


def intensity_correlation(logs: DoubleArray, looks: float) -> DoubleArray:
    """Return the correlation of powers whose logarithms have the correlation `logs`, any shape.

    Powers are gamma variables of the bivariate distribution of Kibble (1941), whose logarithms have the covariance
    sum over k of rho^k B(k, L) / k; at rho = 1 that is the trigamma function. Below 0 both are taken as equal.
    """
    grid = np.linspace(0, 1, 201)
    k = np.arange(1, TERMS + 1)
    weights = np.exp(betaln(k, looks)) / k
    series = (grid[:, None] ** k * weights).sum(axis=1)
    # The last value by its closed form: the series ends too early there.
    series[-1] = max(float(polygamma(1, looks)), series[-2])
    found: DoubleArray = np.where(logs > 0, np.interp(logs * series[-1], series, grid), logs)
    return found


def _whole_blocks(values: FloatArray, valid: BoolArray) -> list[DoubleArray]:
    down, across = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    result = []
    for row in range(down):
        for column in range(across):
            place = np.s_[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
            if valid[place].all():
                result.append(values[place].astype(np.float64))
    return result


def _distance() -> DoubleArray:
    offset = np.abs(np.arange(-FARTHEST, FARTHEST + 1))
    distance: DoubleArray = np.maximum(offset[:, None], offset[None, :]).astype(np.float64)
    return distance


def _autocovariances(blocks: DoubleArray) -> DoubleArray:
    """Return the covariance of each block [N, BLOCK, BLOCK] at all lags up to FARTHEST, lag 0 in the middle."""
    centred = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    # Padded, so that no lag goes round the edges.
    spectrum = np.fft.rfft2(centred, s=(2 * BLOCK, 2 * BLOCK))
    sums = np.fft.irfft2(np.abs(spectrum) ** 2, s=(2 * BLOCK, 2 * BLOCK))
    lags = np.arange(-FARTHEST, FARTHEST + 1)
    pairs = BLOCK - np.abs(lags)
    result: DoubleArray = sums[:, lags[:, None], lags[None, :]] / (pairs[:, None] * pairs[None, :])
    return result


def _looks_of(variance: float) -> float:
    """Return the looks whose trigamma function is `variance`."""
    grid = np.geomspace(*LOOKS, 4000)
    return float(np.exp(np.interp(-np.log(variance), -np.log(polygamma(1, grid)), np.log(grid))))


def _window_looks(looks: float, correlation: DoubleArray, size: int) -> float:
    """Return the looks of a mean over `size` x `size` correlated pixels: mean squared over variance."""
    lags = np.abs(np.arange(-FARTHEST, FARTHEST + 1))
    pairs = np.maximum(size - lags, 0)
    shared = float((pairs[:, None] * pairs[None, :] * correlation).sum())
    # A mean has at least the looks of a pixel.
    return max(looks, looks * size**4 / shared) if shared > 0 else looks * size**2
