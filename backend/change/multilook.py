"""Average power over square windows, with what is not valid left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from backend.core.arrays import BoolArray, FloatArray

# Least share of a window that must be valid.
LEAST_VALID = 0.5
TINY = np.float32(1e-12)


@dataclass(frozen=True)
class MultiLooked:
    """Hold averages of two dates.

    Attributes:
        power: Mean power, float32 [2, polarisations, H, W]; above 0 where valid.
        texture: Squared coefficient of variation that both dates share, of each polarisation, [polarisations, H, W].
        share: Valid share of each window, [H, W].
        valid: Pixels with a result, bool [H, W].
    """

    power: FloatArray
    texture: FloatArray
    share: FloatArray
    valid: BoolArray


def multilook(power: FloatArray, valid: BoolArray, size: int) -> MultiLooked:
    """Average two dates over windows of `size` x `size` pixels; beyond the edges nothing is valid.

    The shared texture is the covariance of the two dates within the window over the product of their means: speckle of
    different dates is independent, so what they share is the ground.

    Args:
        power: Linear power, float32 [2, polarisations, H, W]; 0 where not valid.
        valid: bool [H, W].
        size: Odd side of the windows, in pixels.
    """
    share = _mean(valid.astype(np.float32), size)
    good = valid & (share >= LEAST_VALID)
    divisor = np.where(good, share, np.float32(1))
    means = np.maximum(np.stack([[_mean(p, size) / divisor for p in date] for date in power]), TINY)
    texture = np.stack(
        [
            _mean(power[0, band] * power[1, band], size) / divisor / (means[0, band] * means[1, band]) - 1
            for band in range(power.shape[1])
        ]
    )
    return MultiLooked(means, np.maximum(texture, 0), share, good)


def _mean(plane: NDArray[np.float32], size: int) -> FloatArray:
    # Running sums are kept in float64 by ndimage, so that a bright target leaves nothing behind it.
    result: FloatArray = uniform_filter(plane, size, mode="constant", cval=0.0)
    return result
