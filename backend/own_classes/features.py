"""Compute the features that the head will see at the pixels of samples; only tiles with samples are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from backend.core.arrays import BoolArray, IntArray
from backend.maps.pca import Components, Scatter
from backend.network.focal import window_features
from backend.network.forest_head import ForestHead
from backend.network.vit import SarViT
from backend.own_classes.pixels import SamplePixels
from backend.stream.fill import fill_invalid
from backend.stream.tiles import Frame, read_tile_row
from backend.stream.tiling import AxisPlan, TilePlan


@dataclass(frozen=True)
class FeatureTable:
    """Features of pixels.

    Attributes:
        tokens: Tokens of all blocks that the head reads, interpolated, float32 [n, T].
        pixels: Backscatter of the pixel and its focal statistics, float32 [n, P].
        valid: Whether the raster has data at the pixel, bool [n]; other features are 0.
        components: Principal components of the standardised tokens of all valid patches that were read, since samples
            may be few.
    """

    tokens: Tensor
    pixels: Tensor
    valid: BoolArray
    components: Components

    def features(self, which: Tensor) -> Tensor:
        """Return components and backscatter features of some pixels, float32 [m, C + P]."""
        weight, bias = map(torch.from_numpy, self.components.linear())
        return torch.cat((self.tokens[which] @ weight.T + bias, self.pixels[which]), dim=1)


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
    model: SarViT,
    frame: Frame,
    plan: TilePlan,
    wanted: SamplePixels,
    batch: int,
    progress: Callable[[int], None],
) -> FeatureTable:
    """Read the tiles that hold pixels of samples, and compute the features of these pixels.

    Args:
        model: Network with a `ForestHead`, on its device; the head's weights are not used.
        frame: Source of network input.
        plan: Tiles, as for land cover.
        wanted: Pixels of the frame.
        batch: Tiles of a batch.
        progress: Called with the number of tiles done, before each read; may raise to end the work.
    """
    head = cast(ForestHead, model.head)
    channels, components = head.tokens.in_channels, head.tokens.out_channels
    tokens, pixels = torch.zeros(len(wanted), channels), torch.zeros(len(wanted), head.features - components)
    valid = np.zeros(len(wanted), dtype=np.bool_)
    scatter = Scatter(channels)
    device = next(model.parameters()).device
    for group in _batches(frame, plan, wanted, batch, progress):
        x = torch.from_numpy(np.stack([tile for _, _, tile, _ in group]))
        with torch.inference_mode():
            grids = torch.cat([grid.float() for grid in model.features(x.to(device))], dim=1).cpu()
            shown = window_features(x, head.windows)
            for number, (which, (top, left), _, there) in enumerate(group):
                rows, columns = wanted.rows[which] - top, wanted.columns[which] - left
                # As in the head, but for one tile at a time: only its samples are kept.
                wide_grid = F.interpolate(grids[number][None], plan.tile, mode="bilinear", align_corners=False)[0]
                tokens[which] = wide_grid[:, rows, columns].T
                pixels[which] = shown[number][:, rows, columns].T
                valid[which] = there[rows, columns]
                scatter.add(grids[number].numpy()[:, _own_patches(plan, (top, left), there)])
    return FeatureTable(tokens, pixels, valid, scatter.components(components, standardised=True))


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
    tiles = tiles_of(wanted, plan)
    group: list[_Tile] = []
    done = 0
    for row in sorted({row for row, _ in tiles}):
        progress(done)
        x, valid = read_tile_row(frame, plan, row)
        for column in sorted(column for r, column in tiles if r == row):
            left = plan.columns.origins[column]
            there = valid[:, left : left + plan.tile]
            tile = np.ascontiguousarray(fill_invalid(x[:, :, left : left + plan.tile], there))
            group.append((tiles[row, column], (plan.rows.origins[row], left), tile, there))
            if len(group) == batch:
                yield group
                done += len(group)
                progress(done)
                group = []
    if group:
        yield group
        progress(done + len(group))
