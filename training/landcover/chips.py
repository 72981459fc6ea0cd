"""Load labelled chips and cut batches of crops for fine-tuning, as a function of seed and step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from backend.card.model_card import Band, LandCoverClass
from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.radiometry.convert import from_linear, normalise, to_linear
from backend.radiometry.units import Units
from backend.stream.fill import fill_invalid
from training.data.ahead import read_ahead
from training.data.dataset import Chip, ChipFolder
from training.data.tiles import Window, cut, extend, random_window
from training.landcover.gaps import draw_gap
from training.run.finetune_config import CropAugmentConfig
from training.views.augment import augment

# Widest square over which a smoothed crop is averaged, in pixels.
MOST_SMOOTHED = 5
# Least side of a crop that is cut smaller than a tile, in pixels.
SMALLEST = 16
# Target of a pixel without a label.
IGNORE = -1


def excluded(index: Any) -> Any:
    """Return the target of a pixel of which only one class is known that it is not; its own inverse.

    Args:
        index: Class index, or target; an integer, an array or a tensor.
    """
    return -2 - index


# Step, inputs and targets.
Batches = Generator[tuple[int, torch.Tensor, torch.Tensor], None, None]


@dataclass(frozen=True)
class LabelledChip:
    """Hold a chip in memory: dB as float16 (precise to 0.02 dB) and class indices.

    Attributes:
        db: float16 [B, H, W], dB (coherence from 0 to 1), nan where invalid or missing.
        target: int16 [H, W] class index; IGNORE where unlabelled or invalid; `excluded(i)` where only known not to be
            of class i.
        level_jitter_db: As in Chip.
        weight: Relative frequency of draws; see `load_labelled`.
    """

    db: NDArray[np.float16]
    target: NDArray[np.int16]
    level_jitter_db: float
    weight: float = 1.0


@dataclass(frozen=True)
class Legend:
    """Map values of labels to class indices.

    Attributes:
        indices: Class index by value; values that are missing are not used.
        weights: Weight of a folder by its name, in place of that of its dataset.toml.
    """

    indices: Mapping[int, int]
    weights: Mapping[str, float] = field(default_factory=dict)

    def table(self, not_labels: Sequence[tuple[int, int]] = ()) -> NDArray[np.int16]:
        """Return the target of each label value, int16 [256]."""
        table = np.full(256, IGNORE, dtype=np.int16)
        for value, index in self.indices.items():
            table[value] = index
        for code, value in not_labels:
            if value in self.indices:
                table[code] = excluded(self.indices[value])
        return table


def legend_of(classes: Sequence[LandCoverClass]) -> Legend:
    """Return the legend in which each class has its place in the list."""
    return Legend({item.value: index for index, item in enumerate(classes)})


def load_labelled(folders: Sequence[ChipFolder], legend: Legend, leave_out: Collection[str] = ()) -> list[LabelledChip]:
    """Load every labelled chip of the folders.

    A folder is drawn in proportion to its weight times the square root of its labelled pixels, so that a few real chips
    are not lost among thousands of simulated ones; within a folder, chips are drawn by the square root of their area.

    Args:
        folders: Data folders, each limited to its split.
        legend: Class indices by class value, and factors on the weights of folders.
        leave_out: Names of chips that are not loaded.

    Raises:
        InputError: No chip has a labelled pixel.
    """
    chips = [chip for folder in folders for chip in _weighted(folder, legend, leave_out)]
    if not chips:
        roots = ", ".join(str(folder.root) for folder in folders)
        raise InputError(f"No labelled pixel in {roots}.", "Put labels/ next to images/, with the same file names.")
    return chips


def _weighted(folder: ChipFolder, legend: Legend, leave_out: Collection[str]) -> list[LabelledChip]:
    table = legend.table(folder.facts.not_labels)
    wanted = (chip for name, chip in folder.readable() if name not in leave_out)
    chips = [_keep(chip, chip.label, table) for chip in wanted if chip.label is not None]
    chips = [chip for chip in chips if (chip.target != IGNORE).any()]
    pixels = sum(int((chip.target != IGNORE).sum()) for chip in chips)
    areas = sum(math.sqrt(chip.target.size) for chip in chips)
    share = legend.weights.get(folder.root.name, folder.facts.weight) * math.sqrt(pixels)
    return [dataclasses.replace(chip, weight=share * math.sqrt(chip.target.size) / areas) for chip in chips]


def _keep(chip: Chip, label: NDArray[np.uint8], table: NDArray[np.int16]) -> LabelledChip:
    target = np.where(chip.valid, table[label], IGNORE).astype(np.int16)
    return LabelledChip(np.where(chip.valid, chip.db, np.nan).astype(np.float16), target, chip.level_jitter_db)


class CropSampler:
    """Draw random crops, mirrored and with the SAR augmentations of pre-training.

    Args:
        chips: Chips, drawn in proportion to their weights.
        bands: The card's bands.
        size: Side of a crop in pixels; smaller chips are extended by reflection.
        config: Augmentations.
        seed: Seed of every draw.
    """

    def __init__(
        self, chips: Sequence[LabelledChip], bands: Sequence[Band], size: int, config: CropAugmentConfig, seed: int
    ) -> None:
        self.chips, self.bands, self.size, self.config, self.seed = chips, tuple(bands), size, config, seed
        weights = np.array([chip.weight for chip in chips])
        self._share = weights / weights.sum()

    def batch(self, step: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs float32 [count, B, size, size] and targets int64 [count, size, size], with -1 to ignore."""
        made = [self._crop(np.random.default_rng((self.seed, step, i))) for i in range(count)]
        inputs, targets = zip(*made)
        return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets)).long()

    def batches(self, steps: range, count: int, workers: int = 0) -> Batches:
        """Yield each of `steps` with its batch, cut in advance by `workers` processes, or by a thread."""
        with closing(read_ahead(_Batches(self, count), steps, workers)) as ahead:
            for step, (inputs, targets) in zip(steps, ahead):
                yield step, inputs, targets

    def chips_at(self, indices: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one crop of each chip, drawn by the number of the chip alone; shapes and types as of `batch`."""
        made = [self._cut(self.chips[i], np.random.default_rng((self.seed, i))) for i in indices]
        inputs, targets = zip(*made)
        return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets)).long()

    def _crop(self, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.int16]]:
        return self._cut(self.chips[int(rng.choice(len(self.chips), p=self._share))], rng)

    def _cut(self, chip: LabelledChip, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.int16]]:
        window = self._window(chip.target.shape, rng)
        db, target = cut(chip.db, window).astype(np.float32), cut(chip.target, window)
        if self.config.flip:
            for axis in (-1, -2):
                if rng.random() < 0.5:
                    db, target = np.flip(db, axis), np.flip(target, axis)
        if self.config.gaps and rng.random() < self.config.gaps:
            gap = draw_gap(target, rng)
            db, target = np.where(gap, np.float32(np.nan), db), np.where(gap, np.int16(IGNORE), target)
        # Filled as in mapping, before speckle and gain, so that a filled pixel gets its own. Its target stays -1.
        db = fill_invalid(db, np.isfinite(db).any(axis=0))
        common = float(rng.normal(0, chip.level_jitter_db)) if chip.level_jitter_db else 0.0
        linear = augment(to_linear(db, self.bands, Units.DB), common, self.bands, self.config, rng)
        if self.config.smooth and rng.random() < self.config.smooth:
            linear = smoothed(linear, int(rng.integers(2, MOST_SMOOTHED + 1)))
        level = from_linear(linear, self.bands)
        x = normalise(level, np.isfinite(level).any(axis=0), self.bands)
        return extend(x, self.size), np.ascontiguousarray(extend(target, self.size))

    def _window(self, shape: tuple[int, ...], rng: np.random.Generator) -> Window:
        sides = [self.size, self.size]
        if self.config.small and rng.random() < self.config.small:
            sides = [round(side * (SMALLEST / side) ** rng.random()) for side in sides]
        return random_window(shape, sides, rng)


def smoothed(linear: FloatArray, side: int) -> FloatArray:
    """Average linear power [B, H, W] over squares of `side` pixels; NaN where a band is missing."""
    from scipy.ndimage import uniform_filter

    result: FloatArray = uniform_filter(linear, (0, side, side), mode="nearest")
    return result


class _Batches(Dataset["tuple[torch.Tensor, torch.Tensor]"]):
    """Return the batch of a step."""

    def __init__(self, sampler: CropSampler, count: int) -> None:
        self.sampler, self.count = sampler, count

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.sampler.batch(step, self.count)
