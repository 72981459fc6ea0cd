"""Distinguish linear backscatter from values that were scaled to 0…1: speckle multiplies, whatever the level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray

# Side of the blocks in which level and spread are measured, and the least number of them.
BLOCK, BLOCKS = 8, 16
# Below this deviation of the logarithm of the levels, a slope means nothing.
LEVELS = 0.05


def growth(plane: NDArray[Any], valid: NDArray[Any]) -> float | None:
    """Return how the spread inside small blocks grows with their level, as a power, at most (two standard errors).

    About 1 for backscatter in linear units, whose speckle multiplies; about 0 or below for scaled dB and coherence,
    whose noise doesn't depend on the level.

    Args:
        plane: Values of a band, [H, W].
        valid: Validity [H, W].

    Returns:
        None where it can't be told: too few blocks, or all of one level.
    """
    blocks = blocks_of(np.asarray(plane, dtype=np.float64))[blocks_of(np.asarray(valid, dtype=np.bool_)).all(axis=1)]
    if len(blocks) < BLOCKS:
        return None
    low, level, high = np.percentile(blocks, (25, 50, 75), axis=1)
    good: BoolArray = (high > low) & (level > 0)
    if np.count_nonzero(good) < BLOCKS:
        return None
    x, y = np.log(level[good]), np.log((high - low)[good])
    if x.std() < LEVELS:
        return None
    slope, start = np.polyfit(x, y, 1)
    error = np.std(y - slope * x - start) / (x.std() * np.sqrt(len(x)))
    return float(slope + 2 * error)


def blocks_of(plane: NDArray[Any]) -> NDArray[Any]:
    """Return the whole blocks of a plane, [blocks, pixels]."""
    down, across = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    cut = plane[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK)
    result: NDArray[Any] = cut.swapaxes(1, 2).reshape(down * across, BLOCK * BLOCK)
    return result
