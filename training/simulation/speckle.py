"""Draw speckle of detected, multi-looked SAR: gamma-distributed power with a given autocorrelation.

Multi-look intensity of homogeneous ground has a gamma distribution with shape L, the number of looks (Goodman 1976,
"Some fundamental properties of speckle"; Oliver and Quegan, "Understanding Synthetic Aperture Radar Images").
Sentinel-1 IW GRDH at 10 m has about 4.4 looks. Its pixels are smaller than the resolution cell, so that neighbours
correlate: 0.6 to 0.7 at one pixel and 0.1 to 0.4 at two, measured on real scenes. A Gaussian field with that
correlation is mapped to gamma by its quantiles (a Gaussian copula), which keeps the marginal distribution exact.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage, special

from backend.core.arrays import DoubleArray, FloatArray
from training.simulation.fields import smooth_noise

_REACH, _STEPS = 5.0, 500
_GRID = np.linspace(-_REACH, _REACH, int(2 * _REACH * _STEPS) + 1)


@lru_cache(maxsize=256)
def _gamma_quantiles(looks: float) -> FloatArray:
    """Return unit-mean gamma quantiles of shape ``looks`` at the standard normal scores ``_GRID``."""
    quantile = special.gammaincinv(looks, special.ndtr(_GRID)) / looks
    result: FloatArray = np.maximum(quantile, 1e-4).astype(np.float32)
    return result


@lru_cache(maxsize=1)
def _kernel_table() -> tuple[DoubleArray, DoubleArray]:
    """Return ascending lag-1 autocorrelations of filtered white noise, and the sigmas in pixels of the filters."""
    sigmas = np.linspace(0.3, 2.0, 100)
    impulse = np.zeros(33)
    impulse[16] = 1.0
    kernels = np.array([ndimage.gaussian_filter1d(impulse, s, truncate=3.0) for s in sigmas])
    return (kernels[:, 1:] * kernels[:, :-1]).sum(1) / (kernels**2).sum(1), sigmas


def kernel_sigma(lag1: float) -> float:
    """Return the sigma in pixels of the Gaussian filter that gives white noise the lag-1 autocorrelation ``lag1``."""
    return float(np.interp(lag1, *_kernel_table()))


def speckle(rng: np.random.Generator, shape: tuple[int, int], looks: float, lag1: tuple[float, float]) -> FloatArray:
    """Draw unit-mean gamma speckle in power.

    Args:
        rng: Generator.
        shape: Rows and columns.
        looks: Equivalent number of looks, above 0 (rounded to 0.1).
        lag1: Autocorrelation at one row and at one column, 0 to below 1.

    Returns:
        float32 [H, W], positive; a factor on power.
    """
    field = smooth_noise(rng, shape, (kernel_sigma(lag1[0]), kernel_sigma(lag1[1])))
    # A table in steps of 1/500 standard deviation is fast, and finer than tests of the distribution can detect.
    index = ((np.clip(field, -_REACH, _REACH) + _REACH) * _STEPS + 0.5).astype(np.int32)
    return _gamma_quantiles(round(looks, 1))[index]
