"""Plan tiles over a raster in integers, with 1-D blending weights. Pixel values play no part.

Weights are whole numbers of 1/4096 that add up to 4096/4096 at every pixel of an axis. The product of a row weight
and a column weight is then a whole number of 2^-24, which float32 holds exactly, so the 2-D weights add up to exactly
one: blending is a plain sum, with no count map and no epsilon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backend.core.arrays import FloatArray, IndexArray

WEIGHT_STEPS = 4096


@dataclass(frozen=True)
class AxisPlan:
    """Plan the tiles along one axis.

    Attributes:
        size: Pixels of the raster along this axis.
        tile: Pixels of a tile; the last one may overhang.
        origins: First pixel of each tile, ascending, from 0, all multiples of the patch.
        weights: float32 [tile] for each tile; at every pixel the weights of the tiles over it sum to 1 exactly.
    """

    size: int
    tile: int
    origins: tuple[int, ...]
    weights: tuple[FloatArray, ...]

    @property
    def padded(self) -> int:
        """Return the number of pixels from the origin to the end of the last tile."""
        return self.origins[-1] + self.tile

    def finished(self, index: int) -> int:
        """Return the number of leading pixels that no tile after `index` touches."""
        last = index + 1 == len(self.origins)
        return self.size if last else min(self.size, self.origins[index + 1])

    def sources(self, index: int) -> IndexArray:
        """Return for each pixel of a tile the raster pixel that fills it: itself, or its reflection past the end.

        Where the raster is too small to reflect that far, its last pixel is repeated.
        """
        return reflect(np.arange(self.origins[index], self.origins[index] + self.tile), self.size)


@dataclass(frozen=True)
class TilePlan:
    """Plan the tiles of a raster, in row-major order."""

    rows: AxisPlan
    columns: AxisPlan
    patch: int

    @property
    def tile(self) -> int:
        """Return the side of a tile in pixels."""
        return self.rows.tile

    def __len__(self) -> int:
        return len(self.rows.origins) * len(self.columns.origins)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield tile indices (row, column), not pixels."""
        return ((r, c) for r in range(len(self.rows.origins)) for c in range(len(self.columns.origins)))

    def work_ratio(self) -> float:
        """Return how many pixels the model computes for each pixel of the raster."""
        return len(self) * self.tile**2 / (self.rows.size * self.columns.size)

    def on_patches(self) -> TilePlan:
        """Return the same tiles counted in patches: the plan by which token maps are blended."""
        p = self.patch
        tile = self.tile // p
        overlap = self._overlap() // p
        return plan_tiles(-(-self.rows.size // p), -(-self.columns.size // p), tile, overlap, 1)

    def _overlap(self) -> int:
        for axis in (self.rows, self.columns):
            if len(axis.origins) > 1:
                return axis.tile - axis.origins[1]
        return 0


def plan_tiles(height: int, width: int, tile: int, overlap: int, patch: int) -> TilePlan:
    """Plan tiles over a raster from its first pixel, so that the phase of the patches never changes.

    Args:
        height: Rows of the raster, 1 or more.
        width: Columns of the raster, 1 or more.
        tile: Side of a tile, a multiple of `patch`.
        overlap: Pixels shared by neighbouring tiles, a multiple of `patch` below `tile`.
        patch: Side of a patch.

    Raises:
        ValueError: The numbers don't fit together.
    """
    if min(height, width, tile, patch) < 1 or not 0 <= overlap < tile:
        raise ValueError(f"no plan for {height} x {width} with tile {tile}, overlap {overlap}, patch {patch}")
    if tile % patch or overlap % patch:
        raise ValueError(f"tile {tile} and overlap {overlap} must be multiples of the patch {patch}")
    return TilePlan(_plan_axis(height, tile, overlap), _plan_axis(width, tile, overlap), patch)


def attention_overlap(tile: int, patch: int) -> int:
    """Return the overlap for outputs that depend on the whole tile (attention, tokens): half a tile, in whole patches.

    Neighbours must fade into each other slowly then. At exactly half a tile the weights of two neighbours are one wave
    of a cosine, without a kink; `benchmarks.checks.seams` measures that nothing shows (straight ramps did,
    at half a tile and at five eighths).
    """
    return tile // 2 // patch * patch


def reflect(index: IndexArray, size: int) -> IndexArray:
    """Return indices in which those past the end of an axis are reflected about its last pixel.

    Replication of the last pixel where the axis is too short to reflect all of them.
    """
    beyond = index > size - 1
    folded = 2 * (size - 1) - index
    if folded.min(initial=0) < 0:
        folded = np.full_like(index, size - 1)
    return np.where(beyond, folded, index)


def _plan_axis(size: int, tile: int, overlap: int) -> AxisPlan:
    stride = tile - overlap
    count = 1 + max(0, -(-(size - tile) // stride))
    origins = tuple(stride * i for i in range(count))
    return AxisPlan(size, tile, origins, _weights(origins, tile, overlap))


def _weights(origins: tuple[int, ...], tile: int, overlap: int) -> tuple[FloatArray, ...]:
    """Return raised-cosine ramps over the overlap, in whole steps, so that rounding never changes the sum.

    They start and end level (Hann), so that not even a kink marks where a tile begins.
    """
    position = np.arange(tile) + 0.5
    reach = min(max(overlap, 1), tile / 2)
    inside = np.minimum(np.minimum(position, tile - position), reach)
    ramp = np.sin(np.pi / 2 * inside / reach) ** 2
    total = np.zeros(origins[-1] + tile)
    for origin in origins:
        total[origin : origin + tile] += ramp
    running = np.zeros_like(total)
    shared = np.zeros(total.size, dtype=np.int64)
    weights = []
    for origin in origins:
        here = slice(origin, origin + tile)
        running[here] += ramp
        # Rounding the running sum, not each share, makes the shares of a pixel add up to all the steps.
        upto = np.rint(running[here] / total[here] * WEIGHT_STEPS).astype(np.int64)
        weights.append(((upto - shared[here]) / WEIGHT_STEPS).astype(np.float32))
        shared[here] = upto
    return tuple(weights)
