"""Compute how many points a stratified sample needs, and how many of them each class gets.

Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57, section 5.1: the number of points follows from the
standard error that is wanted of the overall accuracy, and from the user's accuracies that are expected (eq. 13, after
Cochran 1977, eq. 5.25); rare classes get a fixed number (50 to 100), the others share the rest by their area.
"""

from __future__ import annotations

import math

import numpy as np

from backend.accuracy.stratified import rounded
from backend.core.arrays import DoubleArray, IntArray
from backend.core.errors import InputError

# Points of a rare class.
LEAST_PER_CLASS = 50
# Expected user's accuracy of a class of which nothing is known.
EXPECTED_ACCURACY = 0.8
# More points than anyone can label.
MOST = 100_000


def standard_error(units: IntArray, weights: DoubleArray, expected: DoubleArray) -> float:
    """Return the standard error to be expected of the estimated overall accuracy (eq. 5 of the paper).

    Args:
        units: Points of each class, [classes].
        weights: Share of each class in the mapped area, [classes].
        expected: User's accuracy expected of each class, [classes].
    """
    variance = expected * (1 - expected)
    return float(np.sqrt(np.sum(weights**2 * variance / np.maximum(units - 1, 1))))


def needed(weights: DoubleArray, expected: DoubleArray, wanted: float) -> int:
    """Return n = (sum W_i S_i / S(O))² (eq. 13; the map is so large that the term with its pixels is left out)."""
    deviations = np.sqrt(expected * (1 - expected))
    return max(2, math.ceil((float(weights @ deviations) / wanted) ** 2))


def allocate(size: int, weights: DoubleArray, least: int) -> IntArray:
    """Give `least` points to each class whose share of `size` would be fewer; the others share the rest by area.

    The sum is `size`, or more where `size` is too small to give every class that many.

    Args:
        size: Points in all.
        weights: Share of each class in the mapped area, all above 0, [classes].
        least: Points of a rare class.
    """
    units = np.full(len(weights), least, dtype=np.int64)
    rare = np.zeros(len(weights), dtype=np.bool_)
    while not rare.all():
        rest = size - least * int(rare.sum())
        share = rest * weights / weights[~rare].sum()
        new = ~rare & (share < least)
        if not new.any():
            units[~rare] = rounded(share[~rare], rest)
            break
        rare |= new
    return units


def plan(weights: DoubleArray, expected: DoubleArray, wanted: float, least: int) -> IntArray:
    """Return the points of each class with which the standard error that is wanted is to be expected, [classes].

    Points that rare classes get in addition are missing elsewhere: more are added until the whole is enough.

    Args:
        weights: Share of each class in the mapped area, [classes].
        expected: User's accuracy expected of each class, [classes].
        wanted: Standard error of the overall accuracy.
        least: Points of a rare class.

    Raises:
        InputError: More than MOST points were needed.
    """

    def enough(size: int) -> bool:
        return standard_error(allocate(size, weights, least), weights, expected) <= wanted

    low = high = needed(weights, expected, wanted)
    while high <= MOST and not enough(high):
        low, high = high + 1, 2 * high
    while low < high <= MOST:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    if high > MOST:
        raise InputError(
            f"A standard error of {wanted:g} needs more than {MOST:,} points.",
            "Ask for a larger one, such as 0.01: a 95 % confidence interval of 2 percent to either side.",
        )
    return allocate(high, weights, least)
