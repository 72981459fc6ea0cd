"""What fine-tuning learns from: labelled chips by split, under one legend."""

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
    """What is learnt from: chips by split, and the legend."""

    train: list[LabelledChip]
    val: list[LabelledChip]
    classes: tuple[LandCoverClass, ...]
    sources: tuple[str, ...]


def load_data(
    folders: Sequence[Path], bands: Sequence[Band], leave_out: Collection[str] = (), strict: bool = True
) -> LabelledData:
    """Read every labelled chip.

    Args:
        folders: Data folders, all with the same legend or a part of it.
        bands: The bands of the model.
        leave_out: Names of chips that are not to be learnt from.
        strict: Whether a chip that can't be read is refused; else it is named, and left out.

    Raises:
        InputError: No labels, no legend, no weight above 0, or legends that contradict each other.
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
        raise InputError(f"No chip is called {missing[0]!r}.", "leave_out takes names of images without their suffix.")
    chips = load_labelled(train, values, leave_out)
    if not any(chip.weight > 0 for chip in chips):
        raise InputError("The weights of the data folders sum to 0.", "Set weight in dataset.toml above 0.")
    seen = np.zeros(len(values), dtype=np.int64)
    for chip in chips:
        seen += np.bincount(chip.target[chip.target >= 0], minlength=len(values))
    kept = [item for item, count in zip(legend, seen) if count]
    if len(kept) < len(legend):
        # A class that no pixel shows can't be learnt, and a logit for it would only take from the others.
        chips = load_labelled(train, [item.value for item in kept], leave_out)
    held = load_labelled(val, [item.value for item in kept]) if val else []
    titles = tuple(dict.fromkeys(folder.facts.title or folder.root.name for folder in opened))
    return LabelledData(chips, held, tuple(kept), titles)


def merge_legends(folders: Sequence[ChipFolder]) -> tuple[LandCoverClass, ...]:
    """One legend out of those of the folders, in order of value.

    Raises:
        InputError: No folder has one, or a value has two names or two groups.
    """
    found: dict[int, LandCoverClass] = {}
    for folder in folders:
        for item in folder.facts.classes:
            other = found.setdefault(item.value, item)
            if other.name != item.name or (other.group and item.group and other.group != item.group):
                told = [f"{one.name!r}{f' of group {one.group!r}' if one.group else ''}" for one in (other, item)]
                raise InputError(
                    f"Value {item.value} is {told[0]} in one folder and {told[1]} in {folder.root}.",
                    "Give the folders one legend.",
                )
            # A folder that names no group says nothing of it, whichever folder comes first.
            found[item.value] = dataclasses.replace(other, group=other.group or item.group)
    if not found:
        raise InputError("No data folder has a legend.", "Add [[classes]] with value, name, color to dataset.toml.")
    return tuple(found[value] for value in sorted(found))
