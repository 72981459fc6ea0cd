"""Load the labelled chips of fine-tuning by split, with one legend."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.card.model_card import Band, LandCoverClass
from backend.core.errors import InputError
from training.data.dataset import ChipFolder
from training.data.splits import read_splits
from training.landcover.chips import LabelledChip, Legend, load_labelled
from training.landcover.merged import MERGED_CLASSES, merged_value
from training.run.finetune_config import FinetuneConfig


@dataclass(frozen=True)
class LabelledData:
    """Hold chips by split, the legend, and the titles of the data folders."""

    train: list[LabelledChip]
    val: list[LabelledChip]
    classes: tuple[LandCoverClass, ...]
    sources: tuple[str, ...]


def load_data(
    folders: Sequence[Path], bands: Sequence[Band], config: FinetuneConfig, strict: bool = True
) -> LabelledData:
    """Load every labelled chip.

    Args:
        folders: Data folders, whose legends are equal or parts of one legend.
        bands: The bands of the model.
        config: Legend, weights of folders, and names of chips that are not used for training.
        strict: Refuse chips that can't be read; otherwise they are named and left out.

    Raises:
        InputError: There are no labels, no legend or no weight above 0, or the legends contradict each other.
    """
    opened = [ChipFolder(folder, bands, strict=strict) for folder in folders]
    unknown = sorted({name for name, _ in config.weights} - {folder.root.name for folder in opened})
    if unknown:
        raise InputError(f"weights has {unknown[0]!r}, no data folder.", "Give the names of folders of --data.")
    legend, weights = merge_legends(opened), dict(config.weights)
    members = {item.value: [item.value] for item in legend}
    if config.legend == "merged":
        legend, members = _groups(legend)
    leave_out = config.leave_out
    train, val = [], []
    for folder in opened:
        if (folder.root / "splits.csv").is_file():
            splits = {row["split"] for row in read_splits(folder.root)}
            train.append(ChipFolder(folder.root, bands, "train", strict=strict))
            val += [ChipFolder(folder.root, bands, "val", strict=strict)] if "val" in splits else []
        else:
            train.append(folder)
    missing = sorted(set(leave_out) - {name for folder in train for name in folder.names})
    if missing:
        raise InputError(f"No chip is called {missing[0]!r}.", "Give leave_out the names of images without suffix.")
    chips = load_labelled(train, _legend(legend, members, weights), leave_out)
    if not any(chip.weight > 0 for chip in chips):
        raise InputError("The weights of all data folders are 0.", "Set weight in dataset.toml above 0.")
    seen = np.zeros(len(legend), dtype=np.int64)
    for chip in chips:
        seen += np.bincount(chip.target[chip.target >= 0], minlength=len(legend))
    kept = [item for item, count in zip(legend, seen) if count]
    if len(kept) < len(legend):
        # A class without a pixel can't be learnt, and its logit would only lower the others' probabilities.
        chips = load_labelled(train, _legend(kept, members, weights), leave_out)
    held = load_labelled(val, _legend(kept, members, weights)) if val else []
    titles = tuple(dict.fromkeys(folder.facts.title or folder.root.name for folder in opened))
    return LabelledData(chips, held, tuple(kept), titles)


def _legend(
    classes: Sequence[LandCoverClass], members: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> Legend:
    indices = {value: index for index, item in enumerate(classes) for value in members[item.value]}
    return Legend(indices, weights)


def _groups(legend: Sequence[LandCoverClass]) -> tuple[tuple[LandCoverClass, ...], dict[int, list[int]]]:
    """Return the merged WorldCover classes, and the values of the legend in each.

    Raises:
        InputError: A value is not in the WorldCover legend.
    """
    members: dict[int, list[int]] = {item.value: [] for item in MERGED_CLASSES}
    for item in legend:
        merged = merged_value(item.value)
        if merged is None:
            raise InputError(
                f"Class {item.value} {item.name!r} is not in the WorldCover legend.", "Set legend to data."
            )
        members[merged].append(item.value)
    return tuple(item for item in MERGED_CLASSES if members[item.value]), members


def merge_legends(folders: Sequence[ChipFolder]) -> tuple[LandCoverClass, ...]:
    """Merge the legends of the folders into one, in order of value.

    Raises:
        InputError: No folder has a legend, or a value has two names or two groups.
    """
    found: dict[int, LandCoverClass] = {}
    for folder in folders:
        for item in folder.facts.classes:
            other = found.setdefault(item.value, item)
            if other.name != item.name or (other.group and item.group and other.group != item.group):
                names = [f"{one.name!r}{f' of group {one.group!r}' if one.group else ''}" for one in (other, item)]
                raise InputError(
                    f"Value {item.value} is {names[0]} in one folder and {names[1]} in {folder.root}.",
                    "Use one legend for all folders.",
                )
            # A folder without groups doesn't override those of another, in either order.
            found[item.value] = dataclasses.replace(other, group=other.group or item.group)
    if not found:
        raise InputError("No data folder has a legend.", "Add [[classes]] with value, name, color to dataset.toml.")
    return tuple(found[value] for value in sorted(found))
