"""Load the labelled chips of fine-tuning by split, with one legend."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.card.model_card import Band, LandCoverClass
from backend.core.errors import InputError
from training.data.dataset import ChipFolder
from training.data.splits import read_splits
from training.landcover.chips import LabelledChip, load_labelled


@dataclass(frozen=True)
class LabelledData:
    """Hold chips by split, the legend, and the titles of the data folders."""

    train: list[LabelledChip]
    val: list[LabelledChip]
    classes: tuple[LandCoverClass, ...]
    sources: tuple[str, ...]


def load_data(
    folders: Sequence[Path], bands: Sequence[Band], leave_out: Collection[str] = (), strict: bool = True
) -> LabelledData:
    """Load every labelled chip.

    Args:
        folders: Data folders, whose legends are equal or parts of one legend.
        bands: The bands of the model.
        leave_out: Names of chips that are not used for training.
        strict: Refuse chips that can't be read; otherwise they are named and left out.

    Raises:
        InputError: There are no labels, no legend or no weight above 0, or the legends contradict each other.
    """
    opened = [ChipFolder(folder, bands, strict=strict) for folder in folders]
    legend = merge_legends(opened)
    values = [item.value for item in legend]
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
    chips = load_labelled(train, values, leave_out)
    if not any(chip.weight > 0 for chip in chips):
        raise InputError("The weights of all data folders are 0.", "Set weight in dataset.toml above 0.")
    seen = np.zeros(len(values), dtype=np.int64)
    for chip in chips:
        seen += np.bincount(chip.target[chip.target >= 0], minlength=len(values))
    kept = [item for item, count in zip(legend, seen) if count]
    if len(kept) < len(legend):
        # A class without a pixel can't be learnt, and its logit would only lower the others' probabilities.
        chips = load_labelled(train, [item.value for item in kept], leave_out)
    held = load_labelled(val, [item.value for item in kept]) if val else []
    titles = tuple(dict.fromkeys(folder.facts.title or folder.root.name for folder in opened))
    return LabelledData(chips, held, tuple(kept), titles)


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
