"""Compute the features that the head will see at the pixels of samples; only tiles with samples are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray, IntArray
from backend.maps.pca import Components, Scatter
from backend.own_classes.focal import window_features
from backend.own_classes.pixels import SamplePixels
from backend.raster.resample import bilinear_taps
from backend.stream.cutting import read_tile_row
from backend.stream.fill import fill_invalid
from backend.stream.rows import Frame, TileRows
from backend.stream.tiling import AxisPlan, TilePlan

# Sizes of the head; benchmarks/quality/own_classes.py measures their effect.
WINDOWS, COMPONENTS = (3, 5, 9, 15, 25), 12
# Turns tiles float32 [n, bands, tile, tile] into their tokens [channels, rows, columns], one after another.
Ask = Callable[[FloatArray], Iterable[FloatArray]]


@dataclass(frozen=True)
class FeatureTable:
    """Hold features of pixels.

    Attributes:
        tokens: Tokens of all blocks that the head reads, interpolated, float32 [n, T].
        pixels: Backscatter of the pixel and its focal statistics, float32 [n, P].
        valid: Whether the raster has data at the pixel, bool [n]; other features are 0.
        scatter: Sums of the tokens of all valid patches that were read, since samples may be few.
    """

    tokens: FloatArray
    pixels: FloatArray
    valid: BoolArray
    scatter: Scatter

    @cached_property
    def components(self) -> Components:
        """Return the principal components of the standardised tokens."""
        return self.scatter.components(min(COMPONENTS, self.tokens.shape[1]), standardised=True)

    def take(self, which: IntArray) -> FeatureTable:
        """Return some of the pixels."""
        return FeatureTable(self.tokens[which], self.pixels[which], self.valid[which], self.scatter)

    def features(self, which: IntArray) -> FloatArray:
        """Return components and backscatter features of some pixels, float32 [m, C + P]."""
        weight, bias = self.components.linear()
        return np.concatenate((self.tokens[which] @ weight.T + bias, self.pixels[which]), axis=1)


def joined(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Return the pixels of several scenes, with components of all their patches."""
    if len(tables) == 1:
        return tables[0]
    scatter = Scatter(tables[0].tokens.shape[1])
    for table in tables:
        scatter.include(table.scatter)
    tokens, pixels, valid = (
        np.concatenate([getattr(table, name) for table in tables]) for name in ("tokens", "pixels", "valid")
    )
    return FeatureTable(tokens, pixels, valid, scatter)


def tiles_of(wanted: SamplePixels, plan: TilePlan) -> dict[tuple[int, int], IntArray]:
    """Assign pixels (indices into `wanted`) to the tile in whose interior they lie deepest."""
    rows, columns = _nearest_tile(wanted.rows, plan.rows), _nearest_tile(wanted.columns, plan.columns)
    order = np.lexsort((columns, rows))
    found: dict[tuple[int, int], IntArray] = {}
    if not len(order):
        return found
    changes = np.flatnonzero(np.diff(rows[order]) | np.diff(columns[order])) + 1
    for part in np.split(order, changes):
        found[int(rows[part[0]]), int(columns[part[0]])] = part
    return found


def _nearest_tile(position: IntArray, axis: AxisPlan) -> IntArray:
    origins = np.array(axis.origins)
    overlap = axis.tile - int(origins[1] - origins[0]) if len(origins) > 1 else 0
    # Beyond the middle of an overlap the next tile has the larger weight.
    return np.clip(np.searchsorted(origins + overlap // 2, position, side="right") - 1, 0, len(origins) - 1)


def gather_features(
    ask: Ask, frame: Frame, plan: TilePlan, wanted: SamplePixels, batch: int, progress: Callable[[int], None]
) -> FeatureTable:
    """Read the tiles that hold pixels of samples, and compute the features of these pixels.

    Args:
        ask: Gives the tokens of all blocks that the head reads, joined.
        frame: Source of network input.
        plan: Tiles, as for land cover.
        wanted: Pixels of the frame.
        batch: Tiles of a batch.
        progress: Called with the number of tiles done, before each read; may raise to end the work.
    """
    tokens, pixels = np.empty((0, 0), np.float32), np.empty((0, 0), np.float32)
    valid, scatter = np.zeros(len(wanted), dtype=np.bool_), Scatter(0)
    for group in _batches(frame, plan, wanted, batch, progress):
        answers = ask(np.stack([tile for _, _, tile, _ in group]))
        for (which, (top, left), tile, there), grid in zip(group, answers):
            rows, columns = wanted.rows[which] - top, wanted.columns[which] - left
            focal = window_features(tile, WINDOWS)
            if not tokens.size:
                tokens, pixels = (np.zeros((len(wanted), len(each)), np.float32) for each in (grid, focal))
                scatter = Scatter(len(grid))
            tokens[which] = _interpolated(grid, rows, columns, plan.patch)
            pixels[which] = focal[:, rows, columns].T
            valid[which] = there[rows, columns]
            scatter.add(grid[:, _own_patches(plan, (top, left), there)])
    return FeatureTable(tokens, pixels, valid, scatter)


def _interpolated(grid: FloatArray, rows: IntArray, columns: IntArray, patch: int) -> FloatArray:
    """Return the tokens [n, channels] at some pixels of a tile, as the head enlarges them."""
    down, heights = bilinear_taps(rows, grid.shape[1], 1 / patch)
    across, widths = bilinear_taps(columns, grid.shape[2], 1 / patch)
    total = np.zeros((grid.shape[0], len(rows)), dtype=np.float32)
    for i in range(2):
        for j in range(2):
            total += grid[:, down[:, i], across[:, j]] * (heights[:, i] * widths[:, j])
    return total.T


def _own_patches(plan: TilePlan, origin: tuple[int, int], valid: BoolArray) -> BoolArray:
    """Choose the valid patches of a tile that lie deepest in this tile, within the raster: bool [rows, columns].

    Args:
        plan: Tiles.
        origin: First row and column of the tile.
        valid: Pixels of the tile, [tile, tile].
    """
    count = plan.tile // plan.patch
    inside = []
    for first, axis in zip(origin, (plan.rows, plan.columns)):
        starts = first + np.arange(count) * plan.patch
        inside.append((_nearest_tile(starts, axis) == axis.origins.index(first)) & (starts < axis.size))
    patches = valid.reshape(count, plan.patch, count, plan.patch).any(axis=(1, 3))
    chosen: BoolArray = patches & np.outer(*inside)
    return chosen


_Tile = tuple[NDArray[np.int64], tuple[int, int], NDArray[np.float32], BoolArray]


def _batches(
    frame: Frame, plan: TilePlan, wanted: SamplePixels, batch: int, progress: Callable[[int], None]
) -> Iterator[Sequence[_Tile]]:
    """Yield batches of (pixels, origin, network input, validity); one row of tiles is in memory at a time."""
    tiles, rows = tiles_of(wanted, plan), TileRows(frame, plan)
    group: list[_Tile] = []
    done = 0
    for row in sorted({row for row, _ in tiles}):
        progress(done)
        x, valid = read_tile_row(rows, plan, row)
        for column in sorted(column for r, column in tiles if r == row):
            left = plan.columns.origins[column]
            # Copies, as the next row of tiles comes into the same memory.
            there = valid[:, left : left + plan.tile].copy()
            tile = fill_invalid(x[:, :, left : left + plan.tile], there).copy()
            group.append((tiles[row, column], (plan.rows.origins[row], left), tile, there))
            if len(group) == batch:
                yield group
                done += len(group)
                progress(done)
                group = []
    if group:
        yield group
        progress(done + len(group))
