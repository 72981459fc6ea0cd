"""Describe the patches of tiles by class, attention, tokens and backscatter, on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.engines.pytorch import choose_device
from backend.network.vit import SarViT
from training.monitor.probe import patch_labels
from training.study.experiment import Experiment
from training.study.material import StudyTile, spread_tiles
from training.study.networks import PRETRAINED, RANDOM

BATCH = 16
BACKSCATTER = "backscatter: mean and deviation"


def attention_last(kind: str) -> str:
    """Return the name of the attention of the last block, one value per head."""
    return f"{kind}: attention, last block"


def attention_all(kind: str) -> str:
    """Return the name of the attention of all blocks, one value per head and block."""
    return f"{kind}: attention, all blocks"


def tokens_of(kind: str, block: int | None = None) -> str:
    """Return the name of the tokens of a block, by default the last."""
    return f"{kind}: tokens" if block is None else f"{kind}: tokens of block {block}"


@dataclass(frozen=True)
class Patches:
    """Hold all patches of some tiles, tile by tile and row by row.

    Attributes:
        features: Features by name, float32 [N, D].
        label: int16 [N] class index, -1 if no class covers enough of the patch.
        place: float32 [N, 2] row and column of the patch in its tile, from -1 to 1.
        side: Patches along a tile.
    """

    features: dict[str, FloatArray]
    label: NDArray[np.int16]
    place: FloatArray
    side: int


@dataclass(frozen=True)
class PatchSets:
    """Hold the patches of training and test regions."""

    train: Patches
    test: Patches


def load_patches(experiment: Experiment) -> PatchSets:
    """Describe tiles of both splits with the pre-trained network and with random weights (of the first seed).

    Raises:
        InputError: Fewer than two classes cover a patch in both splits.
    """
    material, networks, config = experiment
    tiles = [
        spread_tiles(chips, config.tile, material.bands, config.patch.tiles)
        for chips in (material.train, material.test)
    ]
    patch = networks.model.patch
    train, test = ({int(i) for tile in part for i in np.unique(_classes(tile, patch))} - {-1} for part in tiles)
    if len(train & test) < 2:
        names = material.names
        found_names = (", ".join(names[i] for i in sorted(found)) or "none" for found in (train, test))
        raise InputError(
            f"Classes that cover whole patches of {patch} pixels: {'; in the test tiles: '.join(found_names)}.",
            "Two or more are needed in both. Raise patch.tiles, or do only the parts curve and inputs.",
        )
    kinds = {kind: networks.frozen(kind, config.patch.seeds[0]) for kind in (PRETRAINED, RANDOM)}
    first, second = (describe_patches(part, kinds, patch, material.present, config.finetune.device) for part in tiles)
    return PatchSets(first, second)


def _classes(tile: StudyTile, patch: int) -> NDArray[np.int16]:
    """Return the class index of each patch [rows, columns], -1 if no class covers enough of it."""
    found: NDArray[np.int16] = patch_labels((tile.target + 1).astype(np.uint8), patch).astype(np.int16) - 1
    return found


def describe_patches(
    tiles: Sequence[StudyTile], kinds: dict[str, SarViT], patch: int, present: Sequence[int], device: str = "auto"
) -> Patches:
    """Compute features and labels of all patches of tiles.

    Args:
        tiles: Tiles of one size.
        kinds: Networks in evaluation mode, by the first part of the names of their features.
        patch: Side of a patch in pixels.
        present: Positions of the bands whose backscatter is described.
        device: Device of the networks.
    """
    side = tiles[0].target.shape[0] // patch
    features = {BACKSCATTER: np.concatenate([_levels(tile, patch, present) for tile in tiles])}
    for kind, vit in kinds.items():
        features |= _network_features(tiles, kind, vit, choose_device(device))
    labels = [_classes(tile, patch) for tile in tiles]
    steps = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return Patches(features, np.stack(labels).ravel(), np.tile(grid, (len(tiles), 1)), side)


def _levels(tile: StudyTile, patch: int, present: Sequence[int]) -> FloatArray:
    """Return mean and standard deviation of each band over each patch, [patches, 2 * bands]; missing values are 0."""
    x = tile.x[list(present)]
    bands, height, width = x.shape
    blocks = x.reshape(bands, height // patch, patch, width // patch, patch).transpose(1, 3, 0, 2, 4)
    flat = blocks.reshape(-1, bands, patch * patch)
    levels: FloatArray = np.concatenate((flat.mean(axis=2), flat.std(axis=2)), axis=1).astype(np.float32)
    return levels


@torch.inference_mode()
def _network_features(
    tiles: Sequence[StudyTile], kind: str, vit: SarViT, device: torch.device
) -> dict[str, FloatArray]:
    vit = vit.to(device)
    attention: list[list[FloatArray]] = [[] for _ in range(vit.depth)]
    tokens: list[list[FloatArray]] = [[] for _ in range(vit.depth)]
    for begin in range(0, len(tiles), BATCH):
        x = torch.from_numpy(np.stack([tile.x for tile in tiles[begin : begin + BATCH]])).to(device)
        for block in range(vit.depth):
            attention[block].append(_flat(vit.attention(x, block)))
            tokens[block].append(_flat(vit.tokens(x, block)))
    heads = [np.concatenate(parts) for parts in attention]
    # A softmax sums to 1 over a tile; times the number of patches it doesn't depend on the size of the tile.
    heads = [values * (x.shape[-1] // vit.patch) ** 2 for values in heads]
    found = {attention_last(kind): heads[-1], attention_all(kind): np.concatenate(heads, axis=1)}
    found |= {tokens_of(kind, block): np.concatenate(parts) for block, parts in enumerate(tokens)}
    return {**found, tokens_of(kind): found[tokens_of(kind, vit.depth - 1)]}


def _flat(grid: torch.Tensor) -> FloatArray:
    """Reshape [N, D, rows, columns] to [N * rows * columns, D]."""
    result: FloatArray = grid.float().permute(0, 2, 3, 1).flatten(0, 2).cpu().numpy()
    return result
