"""Estimate accuracy and area from a stratified sample (Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57).

The map's classes are the strata, and their mapped areas are known. Equation numbers are those of the paper, and so is
the orientation of matrices: rows are the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.core.errors import InputError

# Standard errors to each side of a 95 % confidence interval (normal approximation, as in the paper).
Z95 = 1.96
# Fewest units that a variance can be estimated from.
MIN_UNITS = 2
# Units for each class before the rest is allocated by area (section 5.1.2 of the paper: 50 to 100).
RARE_CLASS_UNITS = 50


@dataclass(frozen=True)
class Estimate:
    """Hold estimates with standard errors; NaN if a class has none (no unit in the reference, not on the map).

    Attributes:
        strata: Classes that are used as strata, bool [classes].
        weights: Mapped share W of each stratum in the area of all strata; 0 for other classes.
        proportions: Share of the area p_ij, [map class, reference class].
        overall: Overall accuracy and its standard error.
        users: User's accuracy, [classes, 2].
        producers: Producer's accuracy, [classes, 2].
        areas: Error-adjusted area of each class and its standard error, in the unit of the mapped areas, [classes, 2].
        total: Area of the strata.
    """

    strata: BoolArray
    weights: DoubleArray
    proportions: DoubleArray
    overall: tuple[float, float]
    users: DoubleArray
    producers: DoubleArray
    areas: DoubleArray
    total: float


def estimate(counts: IntArray, mapped: DoubleArray) -> Estimate:
    """Estimate accuracy and areas from a sample whose strata are the map's classes.

    Args:
        counts: Sampling units, [map classes, reference classes], classes in one order.
        mapped: Area of each map class in the whole map, any unit.

    Returns:
        The estimates. Classes with fewer than two units are not used as strata: they have no variance estimate.

    Raises:
        InputError: No stratum has two units.
    """
    units = counts.sum(axis=1)
    strata = (units >= MIN_UNITS) & (mapped > 0)
    if not strata.any():
        raise InputError(
            "No class of the map has two or more sampling units, so nothing can be estimated.",
            "Give at least two units in a class, better 30.",
        )
    total = float(mapped[strata].sum())
    weights = np.where(strata, mapped, 0.0) / total
    shares = np.where(strata[:, None], counts, 0) / np.maximum(units, 1)[:, None]
    proportions = weights[:, None] * shares  # eq. 4
    # Estimated variance of each cell's share within its stratum; the other variances are sums of these.
    variances = shares * (1 - shares) / np.maximum(units - 1, 1)[:, None]
    return Estimate(
        strata=strata,
        weights=weights,
        proportions=proportions,
        # eq. 1 and 5
        overall=(float(np.trace(proportions)), float(np.sqrt(np.sum(weights**2 * np.diag(variances))))),
        users=_users(shares, variances, strata),
        producers=_producers(proportions, variances, weights),
        # eq. 9, 10 and 11
        areas=total * np.stack((proportions.sum(axis=0), np.sqrt((weights**2) @ variances)), axis=1),
        total=total,
    )


def interval(pair: tuple[float, float] | DoubleArray) -> tuple[float, float]:
    """Return the lower and upper end of the 95 % confidence interval of (estimate, standard error)."""
    return float(pair[0] - Z95 * pair[1]), float(pair[0] + Z95 * pair[1])


def _users(shares: DoubleArray, variances: DoubleArray, strata: BoolArray) -> DoubleArray:
    """Compute eq. 2 and 6."""
    both = np.stack((np.diag(shares), np.sqrt(np.diag(variances))), axis=1)
    users: DoubleArray = np.where(strata[:, None], both, np.nan)
    return users


def _producers(proportions: DoubleArray, variances: DoubleArray, weights: DoubleArray) -> DoubleArray:
    """Compute eq. 3 and 7, in shares of the area instead of pixels (N_i. is W_i times all pixels)."""
    columns = proportions.sum(axis=0)
    found = columns > 0
    safe = np.where(found, columns, 1.0)
    accuracy = np.diag(proportions) / safe
    scaled = (weights**2)[:, None] * variances
    own = np.diag(scaled)
    variance = ((1 - accuracy) ** 2 * own + accuracy**2 * (scaled.sum(axis=0) - own)) / safe**2
    producers: DoubleArray = np.where(found[:, None], np.stack((accuracy, np.sqrt(variance)), axis=1), np.nan)
    return producers


def allocate(size: int, mapped: DoubleArray) -> IntArray:
    """Allocate a sample to strata: a base for each, so that rare classes are sampled, and the rest by area.

    The base is RARE_CLASS_UNITS, or half of an equal share if the sample is too small for that.

    Args:
        size: Number of units.
        mapped: Area of each stratum; strata of area 0 get no units.

    Raises:
        InputError: There are fewer than two units for each stratum.
    """
    there = mapped > 0
    if size < MIN_UNITS * there.sum():
        raise InputError(
            f"A sample of {size} is too small: the map has {there.sum()} classes, and each needs {MIN_UNITS} units.",
            f"Ask for {RARE_CLASS_UNITS * int(there.sum())} or more.",
        )
    base = max(MIN_UNITS, min(RARE_CLASS_UNITS, size // (2 * int(there.sum()))))
    rest = size - base * int(there.sum())
    units: IntArray = np.where(there, base, 0) + rounded(rest * mapped / mapped.sum(), rest)
    return units


def rounded(shares: DoubleArray, total: int) -> IntArray:
    """Round to whole numbers that sum to `total`: the largest remainders go up."""
    units: IntArray = np.floor(shares).astype(np.int64)
    order = np.argsort(-(shares - units), kind="stable")
    units[order[: total - int(units.sum())]] += 1
    return units
