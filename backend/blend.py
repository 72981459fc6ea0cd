"""Overlap-add of tiles that hands out each row as soon as no later tile can touch it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.tiling import TilePlan

FloatArray = NDArray[np.float32]
# Stands for weights of 1 throughout.
WHOLE: FloatArray = np.ones(1, dtype=np.float32)


class RowBlender:
    """Sums weighted tiles in float32. Holds one tile's height of rows, whatever the height of the raster.

    Tiles come in row-major order, so every pixel gets its terms in the same order however they are batched: the
    result doesn't depend on the batch size. Tiles may be left out; they count as zero.

    Args:
        plan: Where tiles lie.
        channels: Planes of a tile.
    """

    def __init__(self, plan: TilePlan, channels: int) -> None:
        self._plan = plan
        self._rows = np.zeros((channels, plan.tile, plan.columns.padded), dtype=np.float32)
        # Where no other tile has a say, values are copied, which takes half the time: most of a tile is like that.
        self._down = [_pieces(weights) for weights in plan.rows.weights]
        self._across = [_pieces(weights) for weights in plan.columns.weights]
        self._step = 0  # rows that were handed out, and are still in memory

    def add(self, row: int, column: int, values: FloatArray) -> None:
        """Add a tile.

        Args:
            row: Index of the tile row; all tiles between two calls of `finish` belong to the same one.
            column: Index of the tile in its row.
            values: float32 [channels, tile, tile].
        """
        self._move_on()
        left = self._plan.columns.origins[column]
        target = self._rows[:, :, left : left + self._plan.tile]
        for down, heights in self._down[row]:
            for across, widths in self._across[column]:
                if heights is WHOLE and widths is WHOLE:
                    target[:, down, across] = values[:, down, across]
                else:
                    target[:, down, across] += values[:, down, across] * (heights[:, None] * widths[None, :])

    def finish(self, row: int) -> FloatArray:
        """Hand out the rows that are final once tile row `row` is complete.

        Returns:
            float32 [channels, rows, width], a look into the blender's own memory: good until the next call.
        """
        self._move_on()
        axis = self._plan.rows
        if row + 1 < len(axis.origins):
            self._step = axis.origins[row + 1] - axis.origins[row]
        return self._rows[:, : axis.finished(row) - axis.origins[row], : self._plan.columns.size]

    def _move_on(self) -> None:
        """Make room for the next tile row, once what was handed out last has been used."""
        if not self._step:
            return
        kept = self._plan.tile - self._step
        # The source lies after the target, and numpy copies overlapping basic slices safely.
        self._rows[:, :kept] = self._rows[:, self._step :]
        self._rows[:, kept:] = 0
        self._step = 0


def _pieces(weights: FloatArray) -> list[tuple[slice, FloatArray]]:
    """The parts of an axis with their weights; WHOLE where they are all 1."""
    whole = weights == 1
    cuts = [0, *(np.flatnonzero(whole[1:] != whole[:-1]) + 1).tolist(), len(weights)]
    return [(slice(a, b), WHOLE if whole[a] else weights[a:b]) for a, b in zip(cuts, cuts[1:])]
