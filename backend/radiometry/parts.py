"""Find rasters whose parts, or whose bands, were put together from different things: units, or the order of bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray
from backend.radiometry.checks import REFUSED, WARNING, Check
from backend.radiometry.plausibility import SAY, TELLING
from backend.radiometry.speckle import blocks_of

# Pixels of 0 to 0.6 dB, where linear values lie, for each of -3 to 0 dB: 0.18 at most in 384 real rasters.
LINEAR, BELOW, SURPLUS, SHARE = 0.6, -3.0, 1.0, 0.02
# Shares of blocks that have VV above and below VH; below is none in 384 real rasters.
OPPOSITE = 0.05
# Spread of VV inside small blocks over that of VH, in dB: 0.68 to 1.23 in 98 of 100 real rasters; amplitude halves it.
SPREADS = 0.64, 1.6
BLOCKS = 16


def check_parts(sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str]) -> list[Check]:
    """Refuse bands that hold dB in one part of the raster and linear values in another."""
    checks = []
    for name, plane in zip(names, sample):
        values = plane[valid & np.isfinite(plane)]
        if values.size < TELLING or np.percentile(values, 25) > -1:
            continue
        linear = float(((values > 0) & (values < LINEAR)).mean())
        near = float(((values > BELOW) & (values <= 0)).mean())
        if linear > SHARE and linear > SURPLUS * (near + 0.001):
            found = f"{name} holds dB in one part and linear values in another: {linear:.0%} lie in 0 to {LINEAR:g}"
            hint = f"Bring all parts, or tiles, to one unit before they are joined (dB = 10 log10 of power). {SAY}"
            checks.append(Check(f"unit of {name}", found, "a band must have one unit everywhere", REFUSED, hint))
    return checks


def exchanged_in_parts(db: NDArray[Any], valid: NDArray[Any], low: float, high: float) -> bool:
    """Return whether the first of two bands lies below the second in some blocks, and above it in others.

    Args:
        db: Two bands in dB, [2, H, W].
        valid: Validity [H, W].
        low: Difference up to which the first is the weaker one.
        high: Difference from which it is the stronger one.
    """
    blocks = _blocks(db, valid)
    medians = np.median(blocks, axis=-1)
    clear = medians.max(axis=0) > -20  # no noise
    if np.count_nonzero(clear) < BLOCKS:
        return False
    differences = np.median(blocks[0] - blocks[1], axis=-1)[clear]
    return bool(min(np.mean(differences <= low), np.mean(differences >= high)) > OPPOSITE)


def check_speckle(db: NDArray[Any], valid: NDArray[Any], names: Sequence[str]) -> list[Check]:
    """Warn where one of two bands in linear units may be amplitude and the other power: their speckle differs."""
    if len(names) != 2:
        return []
    blocks = _blocks(db, valid)
    if blocks.shape[1] < BLOCKS:
        return []
    low, high = np.percentile(blocks, (25, 75), axis=-1)
    first, second = (float(value) for value in np.median(high - low, axis=1))
    if not first > 0 < second or SPREADS[0] <= first / second <= SPREADS[1]:
        return []
    smooth, rough = names if first < second else names[::-1]
    found = f"{smooth} varies by {first / second:.1f} times what {names[1]} does" if smooth == names[0] else ""
    found = found or f"{rough} varies by {first / second:.1f} times what {smooth} does"
    hint = f"If {smooth} is amplitude and {rough} is power (intensity), square {smooth} first, or the map is wrong."
    return [Check(f"speckle of {smooth}", found, "speckle is alike in two bands of one unit", WARNING, hint)]


def _blocks(db: NDArray[Any], valid: NDArray[Any]) -> DoubleArray:
    """Return the whole blocks of bands that are valid, [bands, blocks, pixels]."""
    good: BoolArray = np.asarray(valid, dtype=np.bool_) & np.isfinite(db).all(axis=0)
    whole = blocks_of(good).all(axis=1)
    result: DoubleArray = np.stack([blocks_of(np.asarray(plane, dtype=np.float64))[whole] for plane in db])
    return result
