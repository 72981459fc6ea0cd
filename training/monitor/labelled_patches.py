"""Read the labelled patches of a data folder once, for any backbones of one patch size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.network.timm_import import VisionTransformer
from training.data.dataset import ChipFolder
from training.data.splits import read_splits
from training.monitor.probe import BATCH, LEAST_PATCHES, LabelledTile, labelled_tiles

# A chip is one tile up to this side, of which attention still takes little memory; larger chips are cut.
MOST_SIDE = 256


class LabelledPatches:
    """Hold whole chips, sides cut to a multiple of the patch, with their labelled patches.

    Args:
        root: Data folder with labels; groups of splits.csv are kept together, without it each chip is a group.
        bands: The bands of the backbones.
        patch: Their patch in pixels.
        most: Most patches that are used, drawn evenly; 0 for all.
        values: Class values that are used; empty for all.

    Attributes:
        classes: uint8 [N], class value of each patch used.
        groups: int64 [N].
        statistics: float32 [N, D], see `patch_statistics`.

    Raises:
        InputError: The folder can't be used, or has fewer than two classes with enough patches, or one group.
    """

    def __init__(
        self, root: Path, bands: Sequence[Band], patch: int, most: int = 0, values: Sequence[int] = ()
    ) -> None:
        folder = ChipFolder(root, bands)
        splits = root / "splits.csv"
        named = {row["name"]: row["group"] for row in read_splits(root)} if splits.is_file() else {}
        self._tiles: list[LabelledTile] = []
        owners: list[str] = []
        rng = np.random.default_rng(0)
        for name, chip in folder.readable():
            for tile in labelled_tiles(chip, bands, MOST_SIDE, patch, rng):
                self._tiles.append(tile)
                owners.append(named.get(name, name))
        order = {owner: number for number, owner in enumerate(dict.fromkeys(owners))}
        every = [tile.labels[tile.labels > 0] for tile in self._tiles]
        classes = np.concatenate([np.zeros(0, dtype=np.uint8), *every])
        groups = np.repeat(np.array([order[owner] for owner in owners], dtype=np.int64), [len(v) for v in every])
        self._used = _chosen(np.where(np.isin(classes, values), classes, 0) if values else classes, most)
        self.classes, self.groups = classes[self._used], groups[self._used]
        if len(np.unique(self.classes)) < 2 or len(np.unique(self.groups)) < 2:
            raise InputError(
                f"{root} has {len(np.unique(self.classes))} classes with {LEAST_PATCHES} patches of {patch} pixels, in "
                f"{len(np.unique(self.groups))} groups.",
                "Give labels/ with two classes or more that cover whole patches, in two groups or more.",
            )
        self.statistics = self._picked([tile.statistics for tile in self._tiles])

    def _picked(self, grids: Sequence[FloatArray]) -> FloatArray:
        labelled = [grid[tile.labels > 0] for grid, tile in zip(grids, self._tiles)]
        result: FloatArray = np.concatenate(labelled)[self._used]
        return result

    @torch.no_grad()
    def tokens(self, backbone: VisionTransformer) -> FloatArray:
        """Return the normalised tokens of the last block at the patches, float32 [N, D]; runs where the weights are."""
        device = next(backbone.parameters()).device
        found: dict[int, FloatArray] = {}
        shapes: dict[tuple[int, ...], list[int]] = {}
        for number, tile in enumerate(self._tiles):
            shapes.setdefault(tile.x.shape, []).append(number)
        for numbers in shapes.values():
            for begin in range(0, len(numbers), BATCH):
                part = numbers[begin : begin + BATCH]
                x = torch.from_numpy(np.stack([self._tiles[n].x for n in part])).to(device)
                tokens = backbone.forward_features(x)[:, backbone.num_prefix_tokens :].float().cpu().numpy()
                for n, grid in zip(part, tokens):
                    found[n] = grid.reshape(*self._tiles[n].labels.shape, -1)
        return self._picked([found[number] for number in range(len(self._tiles))])


def _chosen(classes: NDArray[np.uint8], most: int) -> BoolArray:
    """Return which patches are used: not of class 0, of classes with enough of them, at most `most`, drawn evenly."""
    values, counts = np.unique(classes, return_counts=True)
    used: BoolArray = np.isin(classes, values[(counts >= LEAST_PATCHES) & (values > 0)])
    places = np.flatnonzero(used)
    if most and len(places) > most:
        used[:] = False
        used[np.random.default_rng(0).permutation(places)[:most]] = True
    return used
