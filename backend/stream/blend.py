"""Add overlapping tiles, and return each row as soon as no later tile can touch it."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import FloatArray
from backend.stream.tiling import TilePlan

# Turns blended planes float32 [channels, rows, columns], any part of the raster, into the wanted output, pixel by
# pixel, [planes, rows, columns].
Reduce = Callable[[FloatArray], NDArray[Any]]
# Stands for weights of 1 throughout.
WHOLE: FloatArray = np.ones(1, dtype=np.float32)


class RowBlender:
    """Sum weighted tiles in float32.

    Tiles come in row-major order, so every pixel gets its terms in the same order however they are batched: the
    result doesn't depend on the batch size. Tiles may be left out; they count as zero.

    Of sums that later tiles add to, only strips are held: one to the right of the tile, and one below the row of
    tiles. All else of a tile is final at once, and reduced while it is in the processor's cache.

    Args:
        plan: The plan of the tiles.
        channels: Planes of a tile.
        reduce: Function of final sums; they are kept as they are if None.
    """

    def __init__(self, plan: TilePlan, channels: int, reduce: Reduce | None = None) -> None:
        self._plan, self._channels, self._reduce = plan, channels, reduce
        self._stride = [axis.origins[1] if len(axis.origins) > 1 else axis.tile for axis in (plan.rows, plan.columns)]
        self._down = [_pieces(weights) for weights in plan.rows.weights]
        self._across = [_pieces(weights) for weights in plan.columns.weights]
        planes = self._final(np.zeros((channels, 1, 1), dtype=np.float32))
        height = min(plan.tile, plan.rows.size)
        self._done = np.zeros((len(planes), height, plan.columns.size), dtype=planes.dtype)
        # What the row of tiles above left for this one, and what this one leaves; where nothing did, both are zero.
        strip = channels, plan.tile - self._stride[0], plan.columns.padded
        self._above, self._below = (np.zeros(strip, dtype=np.float32) for _ in range(2))
        self._above_holds, self._below_holds = (np.zeros(plan.columns.padded, dtype=np.bool_) for _ in range(2))
        self._beside: FloatArray | None = None
        self._next = 0

    def add(self, row: int, column: int, values: FloatArray) -> None:
        """Add a tile.

        Args:
            row: Index of the tile row; all tiles between two calls of `finish` belong to the same one.
            column: Index of the tile in its row.
            values: float32 [channels, tile, tile]; its memory is used up.
        """
        self._leave_out(row, column)
        for down, heights in self._down[row]:
            if heights is not WHOLE:
                values[:, down] *= heights[:, None] * self._plan.columns.weights[column]
                continue
            for across, widths in self._across[column]:
                if widths is not WHOLE:
                    values[:, down, across] *= widths
        self._settle(row, column, values, came=True)

    def finish(self, row: int) -> NDArray[Any]:
        """Return the rows that are final once tile row `row` is complete.

        Returns:
            float32 [channels, rows, width], or what `reduce` makes of it; in the blender's own memory, good until the
            next call.
        """
        self._leave_out(row, len(self._plan.columns.origins))
        self._next, self._beside = 0, None
        self._above, self._below = self._below, self._above
        self._above_holds, self._below_holds = self._below_holds, self._above_holds
        return self._done[:, : self._plan.rows.finished(row) - self._plan.rows.origins[row]]

    def _leave_out(self, row: int, until: int) -> None:
        """Complete the tiles before column `until` that never came."""
        columns = self._plan.columns
        for column in range(self._next, until):
            left = columns.origins[column]
            if self._beside is not None or self._above_holds[left : left + columns.tile].any():
                nothing = np.zeros((self._channels, columns.tile, columns.tile), dtype=np.float32)
                self._settle(row, column, nothing, came=False)
                continue
            self._done[:, :, left : columns.finished(column)] = 0
            settled = slice(left, left + self._settled(column))
            self._below[:, :, settled], self._below_holds[settled] = 0, False
            self._next = column + 1

    def _settle(self, row: int, column: int, sums: FloatArray, came: bool) -> None:
        """Add to a weighted tile what those before it left, cut off what is final, and leave the rest."""
        rows, columns = self._plan.rows, self._plan.columns
        down, left, across = self._stride[0], columns.origins[column], self._settled(column)
        shared = columns.tile - self._stride[1] if column else 0
        if self._beside is not None:
            sums[:, :, :shared] += self._beside
        # In columns shared with the left neighbour, the part above is already in its sums.
        fresh = slice(left + shared, left + columns.tile)
        if self._above_holds[fresh].any():
            sums[:, : rows.tile - down, shared:] += self._above[:, :, fresh]
        height, end = rows.finished(row) - rows.origins[row], columns.finished(column)
        self._done[:, :height, left:end] = self._final(sums[:, :height, : end - left])
        settled, below, beside = slice(left, left + across), sums[:, down:, :across], sums[:, :, across:]
        self._below[:, :, settled], self._below_holds[settled] = below, came or below.any()
        self._beside = beside.copy() if came or beside.any() else None
        self._next = column + 1

    def _settled(self, column: int) -> int:
        """Return the number of columns of a tile that no later tile of its row touches."""
        last = column + 1 == len(self._plan.columns.origins)
        return self._plan.tile if last else self._stride[1]

    def _final(self, sums: FloatArray) -> NDArray[Any]:
        return sums if self._reduce is None else self._reduce(sums)


def _pieces(weights: FloatArray) -> list[tuple[slice, FloatArray]]:
    """Return the parts of an axis with their weights; WHOLE where all are 1."""
    whole = weights == 1
    cuts = [0, *(np.flatnonzero(whole[1:] != whole[:-1]) + 1).tolist(), len(weights)]
    return [(slice(a, b), WHOLE if whole[a] else weights[a:b]) for a, b in zip(cuts, cuts[1:])]
