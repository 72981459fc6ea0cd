"""Measure how well frozen tokens separate land cover, by probes on a labelled data folder.

A token has the class that covers its patch; it is compared with tokens of other scenes, by `classifiers`. In addition,
`backscatter` has the score of a linear probe on the backscatter of the same patches, without any network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.card.worldcover import worldcover_groups
from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.network.vit import SarViT
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from training.data.dataset import Chip, ChipFolder
from training.data.tiles import cut, grid_windows
from training.monitor.backscatter import patch_statistics
from training.monitor.classifiers import accuracies, answers, linear_probe, nearest_neighbours
from training.run.common_config import ModelConfig

# A patch is used if one class covers this share of it.
SHARE = 0.7
# A class with fewer patches is left out: its recall would be noise.
LEAST_PATCHES = 30
BATCH = 32
# Columns of the scores of the linear probe: of tokens, and of backscatter statistics.
LINEAR, STATISTICS = "linear_balanced_accuracy", "statistics_balanced_accuracy"


def patch_labels(label: NDArray[np.uint8], patch: int) -> NDArray[np.uint8]:
    """Return the class that covers at least SHARE of each patch, 0 if none does.

    Args:
        label: [H, W] class values, 0 where unlabelled or invalid; sides are multiples of `patch`.
        patch: Side of a patch in pixels.

    Returns:
        uint8 [H / patch, W / patch].
    """
    rows, columns = label.shape[0] // patch, label.shape[1] // patch
    blocks = label.reshape(rows, patch, columns, patch)
    result = np.zeros((rows, columns), dtype=np.uint8)
    for value in np.unique(label[label > 0]):
        result[(blocks == value).mean(axis=(1, 3)) >= SHARE] = value
    return result


class LabelledTokens:
    """Hold inputs with labelled tokens, by size: one of the two parts of the probe.

    Chips are read in a fixed random order until the limit is reached; a few large chips share the limit evenly.

    Args:
        folder: Data folder.
        indices: Chips of the folder.
        model: Bands, patch and tile; tiles of that size are cut.
        limit: Maximum number of labelled tokens.
    """

    def __init__(self, folder: ChipFolder, indices: Sequence[int], model: ModelConfig, limit: int) -> None:
        rng = np.random.default_rng(0)
        self._found: dict[tuple[int, ...], list[LabelledTile]] = {}
        self.values: set[int] = set()
        share, left = max(1, limit // max(len(indices), 1)), limit
        for index in rng.permutation(np.asarray(indices, dtype=np.int64)):
            left -= self._take(folder[int(index)], model, min(share, left), left, rng)
            if left <= 0:
                break

    def _take(self, chip: Chip, model: ModelConfig, wanted: int, limit: int, rng: np.random.Generator) -> int:
        taken = 0
        for tile in labelled_tiles(chip, model.bands, model.tile, model.patch, rng):
            labels = tile.labels
            labels.flat[np.flatnonzero(labels)[limit - taken :]] = 0
            self._found.setdefault(tile.x.shape, []).append(tile)
            self.values |= {int(v) for v in np.unique(labels[labels > 0])}
            taken += int(np.count_nonzero(labels))
            if taken >= wanted:
                break
        return taken

    def counts(self) -> dict[int, int]:
        """Return the number of labelled tokens of each class."""
        labels = np.concatenate([tile.labels.ravel() for crops in self._found.values() for tile in crops])
        return {value: int(np.count_nonzero(labels == value)) for value in self.values}

    def keep(self, values: set[int]) -> None:
        """Leave out the labels of all other classes."""
        for crops in self._found.values():
            for tile in crops:
                tile.labels[~np.isin(tile.labels, list(values))] = 0
        self.values &= values

    @torch.no_grad()
    def features(self, vit: SarViT, device: torch.device) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return normalised tokens of the last block, float32 [N, D], and their class values, uint8 [N]."""
        features, values = [], []
        for crops in self._found.values():
            for begin in range(0, len(crops), BATCH):
                part = crops[begin : begin + BATCH]
                tokens = vit.tokens(torch.from_numpy(np.stack([tile.x for tile in part])).to(device))
                labels = np.stack([tile.labels for tile in part])
                features.append(tokens.float().cpu().permute(0, 2, 3, 1).numpy()[labels > 0])
                values.append(labels[labels > 0])
        return np.concatenate(features), np.concatenate(values)

    def statistics(self) -> FloatArray:
        """Return backscatter statistics of the same patches in the same order, float32 [N, D]."""
        tiles = [tile for crops in self._found.values() for tile in crops]
        return np.concatenate([tile.statistics[tile.labels > 0] for tile in tiles])


class LabelledTile(NamedTuple):
    """Hold a tile of a chip.

    Attributes:
        x: float32 [B, H, W], input of a network.
        labels: uint8 [H / patch, W / patch] class values, 0 without.
        statistics: float32 [H / patch, W / patch, D], see `patch_statistics`.
    """

    x: FloatArray
    labels: NDArray[np.uint8]
    statistics: FloatArray


def labelled_tiles(
    chip: Chip, bands: Sequence[Band], tile: int, patch: int, rng: np.random.Generator
) -> Iterator[LabelledTile]:
    """Yield the tiles of a chip that have a labelled patch, in random order; `tile` is the most pixels along a side."""
    if chip.label is None:
        return
    label = np.where(chip.valid, chip.label, 0).astype(np.uint8)
    windows = grid_windows(label.shape, tile, patch)
    for index in rng.permutation(len(windows)):
        labels = patch_labels(cut(label, windows[index]), patch)
        if labels.any():
            valid, db = cut(chip.valid, windows[index]), cut(chip.db, windows[index])
            x = fill_invalid(normalise(db, valid, bands), valid)
            yield LabelledTile(x, labels, patch_statistics(db, valid, bands, patch))


class Probe:
    """Read a labelled folder once: one part gives neighbours, the other is scored.

    The parts are the splits "train" and "val" of splits.csv; without it, the first and the second half of the names.
    Classes with fewer than LEAST_PATCHES tokens to score are left out if two classes remain.

    Args:
        root: Data folder with labels.
        model: Bands, patch and tile of the backbone.
        limit: Maximum number of tokens of each part.

    Raises:
        InputError: The folder can't be used, has only one scene, or has too few labels.
    """

    def __init__(self, root: Path, model: ModelConfig, limit: int) -> None:
        self.train, self.val = (LabelledTokens(f, i, model, limit) for f, i in _parts(root, model.bands))
        if len(self.train.values) < 2 or not self.val.values:
            raise InputError(
                f"The probe folder {root} has {len(self.train.values)} classes to learn from and "
                f"{len(self.val.values)} to score.",
                f"Give it labels/ with classes that cover patches of {model.patch} pixels, in both parts.",
            )
        common = {value for value, count in self.val.counts().items() if count >= LEAST_PATCHES} & self.train.values
        if len(common) > 1:
            self.train.keep(common)
            self.val.keep(common)
        values = sorted(self.train.values | self.val.values)
        self._groups = dict(zip(values, worldcover_groups(values) or ()))
        self._without_network: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        knn = tuple(f"{kind}{name}" for kind in self._kinds for name in ("accuracy", "balanced_accuracy"))
        return (*knn, LINEAR, STATISTICS)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return ("knn_", "knn_merged_") if self._groups else ("knn_",)

    def score(self, vit: SarViT, device: torch.device) -> dict[str, float]:
        """Return scores of the nearest neighbours and of the linear probe.

        Of the neighbours: accuracy and balanced accuracy (mean recall of classes), for WorldCover legends also of
        merged groups. Of the linear probe, and of the same on backscatter statistics: balanced accuracy.

        Args:
            vit: Network in evaluation mode.
            device: Its device.

        Returns:
            Scores from 0 to 1, by the names of `columns`.
        """
        known, classes = self.train.features(vit, device)
        asked, truth = self.val.features(vit, device)
        labels: list[tuple[NDArray[Any], NDArray[Any]]] = [(classes, truth)]
        if self._groups:
            labels.append((self._merged(classes), self._merged(truth)))
        scores: list[float] = []
        for near, wanted in labels:
            scores += accuracies(wanted, answers(nearest_neighbours(len(near)), known, near, asked))
        scores.append(accuracies(truth, answers(linear_probe(), known, classes, asked))[1])
        if self._without_network is None:
            known, asked = self.train.statistics(), self.val.statistics()
            self._without_network = accuracies(truth, answers(linear_probe(), known, classes, asked))[1]
        return dict(zip(self.columns, [*scores, self._without_network]))

    def _merged(self, values: NDArray[np.uint8]) -> NDArray[np.str_]:
        return np.array([self._groups[int(value)] for value in values])


def _parts(root: Path, bands: Sequence[Band]) -> list[tuple[ChipFolder, range]]:
    if (root / "splits.csv").is_file():
        folders = [ChipFolder(root, bands, split) for split in ("train", "val")]
        return [(folder, range(len(folder))) for folder in folders]
    folder = ChipFolder(root, bands)
    if len(folder) < 2:
        raise InputError(f"The probe folder {root} has one scene.", "Give it two or more, or a splits.csv.")
    half = len(folder) // 2
    return [(folder, range(half)), (folder, range(half, len(folder)))]
