"""Measure how well frozen tokens separate land cover: a k-nearest-neighbour probe on a labelled data folder.

This is the protocol of DINO (Caron et al. 2021, section 4.1: k = 20, frozen features), applied to patches instead of
images: a token has the class that covers its patch, and its neighbours by cosine are tokens of other scenes. Nothing is
trained, so that the score depends on the features alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from backend.accuracy.scores import Confusion
from backend.card.model_card import Band
from backend.card.worldcover import worldcover_groups
from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.network.vit import SarViT
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from training.data.dataset import Chip, ChipFolder
from training.data.tiles import cut, grid_windows
from training.run.common_config import ModelConfig

NEIGHBOURS = 20
# A patch is used if one class covers this share of it.
SHARE = 0.7
BATCH = 32


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
        self._found: dict[tuple[int, ...], list[tuple[FloatArray, NDArray[np.uint8]]]] = {}
        self.values: set[int] = set()
        share, left = max(1, limit // max(len(indices), 1)), limit
        for index in rng.permutation(np.asarray(indices, dtype=np.int64)):
            left -= self._take(folder[int(index)], model, min(share, left), left, rng)
            if left <= 0:
                break

    def _take(self, chip: Chip, model: ModelConfig, wanted: int, limit: int, rng: np.random.Generator) -> int:
        taken = 0
        for x, labels in _crops(chip, model.bands, model.tile, model.patch, rng):
            labels.flat[np.flatnonzero(labels)[limit - taken :]] = 0
            self._found.setdefault(x.shape, []).append((x, labels))
            self.values |= {int(v) for v in np.unique(labels[labels > 0])}
            taken += int(np.count_nonzero(labels))
            if taken >= wanted:
                break
        return taken

    @torch.no_grad()
    def features(self, vit: SarViT, device: torch.device) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return normalised tokens of the last block, float32 [N, D], and their class values, uint8 [N]."""
        features, values = [], []
        for crops in self._found.values():
            for begin in range(0, len(crops), BATCH):
                part = crops[begin : begin + BATCH]
                tokens = vit.tokens(torch.from_numpy(np.stack([x for x, _ in part])).to(device))
                labels = np.stack([label for _, label in part])
                features.append(tokens.float().cpu().permute(0, 2, 3, 1).numpy()[labels > 0])
                values.append(labels[labels > 0])
        return np.concatenate(features), np.concatenate(values)


def _crops(
    chip: Chip, bands: Sequence[Band], tile: int, patch: int, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, NDArray[np.uint8]]]:
    """Yield input and patch labels of the tiles of a chip that have a labelled patch, in random order."""
    if chip.label is None:
        return
    label = np.where(chip.valid, chip.label, 0).astype(np.uint8)
    windows = grid_windows(label.shape, tile, patch)
    for index in rng.permutation(len(windows)):
        labels = patch_labels(cut(label, windows[index]), patch)
        if labels.any():
            valid = cut(chip.valid, windows[index])
            yield fill_invalid(normalise(cut(chip.db, windows[index]), valid, bands), valid), labels


class Probe:
    """Read a labelled folder once: one part gives neighbours, the other is scored.

    The parts are the splits "train" and "val" of splits.csv; without it, the first and the second half of the names.

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
        values = sorted(self.train.values | self.val.values)
        self._groups = dict(zip(values, worldcover_groups(values) or ()))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{kind}{name}" for kind in self._kinds for name in ("accuracy", "balanced_accuracy"))

    @property
    def _kinds(self) -> tuple[str, ...]:
        return ("knn_", "knn_merged_") if self._groups else ("knn_",)

    def score(self, vit: SarViT, device: torch.device) -> dict[str, float]:
        """Return accuracy and balanced accuracy (mean recall of classes), for WorldCover legends also of merged groups.

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
            knn = KNeighborsClassifier(min(NEIGHBOURS, len(near)), metric="cosine").fit(known, near)
            scores += _scores(wanted, knn.predict(asked))
        return dict(zip(self.columns, scores))

    def _merged(self, values: NDArray[np.uint8]) -> NDArray[np.str_]:
        return np.array([self._groups[int(value)] for value in values])


def _scores(truth: NDArray[Any], predicted: NDArray[Any]) -> tuple[float, float]:
    names, found = np.unique(np.concatenate((truth, predicted)), return_inverse=True)
    confusion = Confusion([str(name) for name in names])
    confusion.add(found[: len(truth)], found[len(truth) :])
    return float(confusion.scores()["overall_accuracy"]), confusion.balanced_accuracy()


def _parts(root: Path, bands: Sequence[Band]) -> list[tuple[ChipFolder, range]]:
    if (root / "splits.csv").is_file():
        folders = [ChipFolder(root, bands, split) for split in ("train", "val")]
        return [(folder, range(len(folder))) for folder in folders]
    folder = ChipFolder(root, bands)
    if len(folder) < 2:
        raise InputError(f"The probe folder {root} has one scene.", "Give it two or more, or a splits.csv.")
    half = len(folder) // 2
    return [(folder, range(half)), (folder, range(half, len(folder)))]
