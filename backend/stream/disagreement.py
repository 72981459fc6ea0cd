"""Measure how much overlapping tiles disagree about a pixel, from sums that are blended like everything else.

Tiles s with weights w_s (that sum to 1) give probabilities p_s. Blended are p = sum w_s p_s and q = sum w_s |p_s|².
Then q - |p|² is the sum over pairs of w_s w_t |p_s - p_t|², and 1 - sum w_s² is twice the sum of w_s w_t. Half the
weighted mean of |p_s - p_t|² over all pairs follows, whose root is 0 where tiles agree, and 1 where two are certain of
different classes. No tile has to be kept, so that memory doesn't grow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray, FloatArray
from backend.stream.blend import RowBlender
from backend.stream.tiles import Emit
from backend.stream.tiling import AxisPlan, TilePlan

# Least share of pairs (1 - sum w²): below it, nearly all weight is of one tile, and rounding errors would be enlarged.
LEAST = 0.1


class SquaringBlender:
    """Blend as `backend.stream.blend.RowBlender` does, with one more plane: the sum of squares of the first planes.

    Args:
        plan: The plan of the tiles.
        channels: Planes that are handed out.
        squared: Number of first planes, of which squares are added; the plane of squares follows them.
    """

    def __init__(self, plan: TilePlan, channels: int, squared: int) -> None:
        self._squared, self._blender = squared, RowBlender(plan, channels)

    def add(self, row: int, column: int, values: FloatArray) -> None:
        """Add a tile, float32 [channels - 1, tile, tile]; order as for `RowBlender`."""
        first = values[: self._squared]
        squares = np.einsum("kij,kij->ij", first, first)[None]
        self._blender.add(row, column, np.concatenate((first, squares, values[self._squared :])))

    def finish(self, row: int) -> NDArray[Any]:
        """Return the rows that are final once tile row `row` is complete, [channels, rows, width]."""
        return self._blender.finish(row)


def disagreeing(plan: TilePlan, squared: int, channels: int, emit: Emit) -> Emit:
    """Return a function that replaces the plane of squares by the disagreement, and hands rows on to `emit`.

    Where a pixel has one tile, or nearly so, it is NaN.

    Args:
        plan: Tiles over all the rows that will come.
        squared: Planes of probabilities. The plane of squares follows, and others may.
        channels: Planes of all these; where rows have one more, it is the sum of weights.
        emit: Gets the rows [channels, rows, width] and their validity.
    """
    down, across, passed = _kept(plan.rows), _kept(plan.columns), 0

    def turn(rows: NDArray[Any], valid: BoolArray) -> None:
        nonlocal passed
        height = rows.shape[1]
        pairs = 1 - down[passed : passed + height, None] * across
        passed += height
        weight = rows[-1] if rows.shape[0] > channels else np.float32(1)
        safe = np.where(weight > 0, weight, np.float32(1))
        spread = rows[squared] / safe - np.einsum("kij,kij->ij", rows[:squared], rows[:squared]) / safe**2
        known = pairs >= LEAST
        share = np.clip(spread / np.where(known, pairs, 1), 0, 1)
        rows[squared] = np.where(known, np.sqrt(share) * weight, np.nan)
        emit(rows, valid)

    return turn


def _kept(axis: AxisPlan) -> DoubleArray:
    """Return the sum of squared weights at each pixel of an axis, float64 [size]; exactly 1 where one tile lies."""
    found = np.zeros(axis.padded)
    for origin, weights in zip(axis.origins, axis.weights):
        found[origin : origin + axis.tile] += weights.astype(np.float64) ** 2
    return found[: axis.size]
