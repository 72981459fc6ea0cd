"""Test whether the power of two dates differs, given their looks.

Likelihood-ratio test of equal covariance matrices of Conradsen et al. (2003), "A test statistic in the complex Wishart
distribution and its application to change detection in polarimetric SAR data", IEEE TGRS 41(1), 4-19, in its diagonal
form: intensities only, polarisations independent. For one polarisation it is the test of the ratio, which has an F
distribution, with both directions treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, gamma

from backend.core.arrays import DoubleArray, FloatArray


def change_significance(ratios: Sequence[NDArray[Any]], looks: Sequence[NDArray[Any]]) -> DoubleArray:
    """Return the p value of no change: the probability of ratios that are as unlikely, or more, without one.

    Per polarisation the logarithm of the test statistic is -2 L ln cosh(r / 2), with r the logarithm of the ratio and L
    the looks; the sum over polarisations is compared with chi-squared distributions by the expansion of the paper
    (its equations for rho and omega2, for blocks of one intensity): P = P_f + omega2 (P_f+4 - P_f).

    Args:
        ratios: Natural logarithm of the ratio of each polarisation, [H, W].
        looks: Equivalent number of looks of both powers, of each polarisation, [H, W], above 0.25.
    """
    statistic = np.zeros(np.shape(ratios[0]), dtype=np.float64)
    second = np.zeros_like(statistic)
    for ratio, number in zip(ratios, looks):
        rho = 1 - 1 / (4 * np.asarray(number, dtype=np.float64))
        half = np.abs(np.asarray(ratio, dtype=np.float64)) / 2
        # ln cosh without overflow.
        statistic += 4 * rho * number * (half + np.log1p(np.exp(-2 * half)) - np.log(2))
        second -= (1 - 1 / rho) ** 2 / 4
    freedom = len(ratios)
    first = _above(statistic, freedom)
    result: DoubleArray = np.clip(first + second * (_above(statistic, freedom + 4) - first), 0, 1)
    return result


def signed_deviation(ratio: NDArray[Any], looks: NDArray[Any]) -> FloatArray:
    """Return how many standard deviations of speckle the logarithm of a ratio is from 0, float32 [H, W]."""
    # Variance of the logarithm of a gamma variable: trigamma(L), by its series, good to 1 % from L = 1 on.
    variance = 1 / looks + 1 / (2 * looks**2) + 1 / (6 * looks**3)
    return np.asarray(ratio / np.sqrt(2 * variance), dtype=np.float32)


def _above(statistic: DoubleArray, freedom: int) -> DoubleArray:
    """Return the probability that a chi-squared variable is above `statistic`: exact, by recursion in its freedom."""
    half = statistic / 2
    fall = np.exp(-half)
    start = 2 - freedom % 2
    found: DoubleArray = erfc(np.sqrt(half)) if start == 1 else fall.copy()
    for below in range(start, freedom, 2):
        found += half ** (below / 2) * fall / gamma(below / 2 + 1)
    return found
