"""Load labelled chips of training and test regions, and cut tiles of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band, LandCoverClass
from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from training.data.dataset import ChipFolder
from training.data.splits import read_splits
from training.data.tiles import covering_windows, cut, extend
from training.landcover.chips import LabelledChip, legend_of, load_labelled
from training.landcover.data import LabelledData, merge_legends
from training.study.settings import StudyConfig


@dataclass(frozen=True)
class StudyTile:
    """Hold a square of a chip as input of a network.

    Attributes:
        x: float32 [B, side, side], input of the network.
        db: float32 [B, side, side], dB (coherence from 0 to 1), nan where invalid or missing.
        target: int16 [side, side] class indices; -1 where unlabelled, invalid or part of an earlier tile.
        corner: First row and column in the chip.
    """

    x: FloatArray
    db: FloatArray
    target: NDArray[np.int16]
    corner: tuple[int, int]


@dataclass(frozen=True)
class Material:
    """Hold the chips of training and test regions, with one legend.

    Attributes:
        title: Title of the data.
        bands: The card's bands.
        present: Positions of the bands that any chip has.
        classes: Classes with a training label.
        train: Chips of the split "train".
        test: Chips of the test split.
        test_split: Name of the test split.
        groups: Numbers of regions of both splits.
        fingerprint: Hash of all values and labels.
    """

    title: str
    bands: tuple[Band, ...]
    present: tuple[int, ...]
    classes: tuple[LandCoverClass, ...]
    train: list[LabelledChip]
    test: list[LabelledChip]
    test_split: str
    groups: tuple[int, int]
    fingerprint: str

    @property
    def names(self) -> list[str]:
        """Return the names of the classes, in order of their indices."""
        return [item.name for item in self.classes]

    def share(self, fraction: float, seed: int) -> list[LabelledChip]:
        """Choose a share of the training chips, at least one; larger shares of a seed contain the smaller ones."""
        order = np.random.default_rng((seed, 1)).permutation(len(self.train))
        return [self.train[i] for i in order[: max(1, round(fraction * len(self.train)))]]

    def data(self, chips: list[LabelledChip]) -> LabelledData:
        """Return chips for fine-tuning, without validation chips."""
        return LabelledData(chips, [], self.classes, (self.title,))


def load_material(root: Path, bands: Sequence[Band], config: StudyConfig) -> Material:
    """Load the labelled chips.

    The random gain of data folders of unknown level is left out: the levels of training and test regions are set the
    same way, the forest has no such gain, and it lowers the scores of networks (on OMBRIA by 0.02 to 0.07 of mean IoU
    with all labels, docs/study.md).

    Args:
        root: Data folder with images/, labels/, a legend and splits.csv with the splits "train" and "test" (or "val",
            which is the test split if there is no "test").
        bands: Bands of the model.
        config: Numbers of chips.

    Raises:
        InputError: There are no splits, labels or legend, or fewer than two classes in the training labels.
    """
    rows = read_splits(root)
    splits = {row["split"] for row in rows}
    test_split = next((name for name in ("test", "val") if name in splits), "")
    if "train" not in splits or not test_split:
        raise InputError(
            f"splits.csv of {root} has the splits {', '.join(sorted(splits)) or 'none'}.",
            'Give it "train" and "test" (or "val"), with different regions.',
        )
    folders = {name: ChipFolder(root, bands, name) for name in ("train", test_split)}
    legend = merge_legends([folders["train"]])
    left = {
        name: _left_out(folder, most)
        for (name, folder), most in zip(folders.items(), (config.train_chips, config.test_chips))
    }
    found = load_labelled([folders["train"]], legend_of(legend), left["train"])
    seen = {int(index) for chip in found for index in np.unique(chip.target[chip.target >= 0])}
    classes = tuple(item for index, item in enumerate(legend) if index in seen)
    if len(classes) < 2:
        raise InputError(f"The training labels of {root} have {len(classes)} class.", "Give it two or more.")
    # Class indices change if a class without a training label is removed from the legend.
    train = (
        found if len(classes) == len(legend) else load_labelled([folders["train"]], legend_of(classes), left["train"])
    )
    test = load_labelled([folders[test_split]], legend_of(classes), left[test_split])
    train, test = ([replace(chip, level_jitter_db=0.0) for chip in chips] for chips in (train, test))
    present = tuple(i for i in range(len(bands)) if any(bool(np.isfinite(chip.db[i]).any()) for chip in train))
    taken = {name: set(folder.names) - left[name] for name, folder in folders.items()}
    regions = [len({row["group"] for row in rows if row["name"] in names}) for names in taken.values()]
    return Material(
        title=folders["train"].facts.title or root.name,
        bands=tuple(bands),
        present=present,
        classes=classes,
        train=train,
        test=test,
        test_split=test_split,
        groups=(regions[0], regions[1]),
        fingerprint=_fingerprint(classes, (*train, *test)),
    )


def _left_out(folder: ChipFolder, most: int) -> set[str]:
    if not 0 < most < len(folder):
        return set()
    return set(folder.names) - {folder.names[len(folder) * i // most] for i in range(most)}


def _fingerprint(classes: Sequence[LandCoverClass], chips: Sequence[LabelledChip]) -> str:
    stamp = hashlib.sha256(json.dumps([(item.value, item.name) for item in classes]).encode())
    for chip in chips:
        stamp.update(np.ascontiguousarray(chip.db).tobytes())
        stamp.update(np.ascontiguousarray(chip.target).tobytes())
    return stamp.hexdigest()


def tiles_of(chip: LabelledChip, side: int, bands: Sequence[Band]) -> Iterator[StudyTile]:
    """Yield tiles that cover a chip; each pixel has its label in one of them.

    Args:
        chip: The chip; extended by reflection if it is smaller than a tile.
        side: Side of a tile in pixels.
        bands: The card's bands.
    """
    for window, (rows, columns) in covering_windows(chip.target.shape, side):
        db = extend(cut(chip.db, window), side).astype(np.float32)
        labels = extend(cut(chip.target, window), side, fill=-1).copy()
        labels[:rows] = -1
        labels[:, :columns] = -1
        valid = np.isfinite(db).any(axis=0)
        x = fill_invalid(normalise(db, valid, bands), valid)
        yield StudyTile(x, db, labels, (window.top, window.left))


def spread_tiles(chips: Sequence[LabelledChip], side: int, bands: Sequence[Band], most: int) -> list[StudyTile]:
    """Return at most `most` tiles with a label, spread evenly over the chips."""
    counts = [len(covering_windows(chip.target.shape, side)) for chip in chips]
    places = [(number, index) for number, count in enumerate(counts) for index in range(count)]
    chosen = places if len(places) <= most else [places[len(places) * i // most] for i in range(most)]
    wanted: dict[int, set[int]] = {}
    for number, index in chosen:
        wanted.setdefault(number, set()).add(index)
    return [
        tile
        for number, indices in wanted.items()
        for index, tile in enumerate(tiles_of(chips[number], side, bands))
        if index in indices and (tile.target >= 0).any()
    ]
