"""Draw random windows of the images of several data folders."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, DoubleArray
from backend.core.errors import InputError, UnreadableError
from backend.core.events import printable, show
from training.data.coverage import Coverage
from training.data.dataset import ChipFolder
from training.data.notices import print_left_out
from training.draws.memory import ImageMemory, Pixels
from training.draws.summary import describe
from training.draws.windows import cut_windows
from training.run.distributed import first_process
from training.run.pretrain_config import CropConfig
from training.views.crops import CropSample

# Keys of dataset.toml that don't affect the images.
_NOT_DRAWN = ("title", "classes", "ignore_value", "label_codes")
# Attempts to draw a window that can be read.
DRAWS = 100
# For more files a run keeps one hash of all, so that config.json stays below two megabytes.
MOST_NAMES = 20_000


@dataclass(frozen=True)
class StoredImage:
    """Refer to an image by its folder and its index there.

    Attributes:
        folder: Number of its folder.
        index: Index in the folder.
        pixels: Number of valid pixels.
        coverage: Text of `Coverage.pack`.
    """

    folder: int
    index: int
    pixels: int
    coverage: str


class _UnreadableChipError(Exception):
    """Signal that pixels of an image can't be read."""

    def __init__(self, chip: StoredImage, reason: UnreadableError) -> None:
        super().__init__(reason.message)
        self.chip, self.reason = chip, reason


class ChipStore:
    """Draw random windows from all images of several data folders.

    A folder is drawn in proportion to its weight times the square root of its valid pixels, so that large folders don't
    crowd out small ones; within a folder, images are drawn by their valid pixels.

    Args:
        roots: Data folders.
        bands: The card's bands.
        memory_gb: Budget for images kept in memory, see `ImageMemory`; it does not change what is drawn.
        split: Use only images of this split in folders with a splits.csv; empty for all.
        strict: Refuse images that can't be read; otherwise they are named and left out.

    Raises:
        InputError: A folder has no raster, no valid pixel, or a raster that can't be used.
    """

    def __init__(
        self, roots: Sequence[Path], bands: Sequence[Band], memory_gb: float, split: str = "", strict: bool = True
    ) -> None:
        self._strict = strict
        splits = [split if split and (root / "splits.csv").is_file() else None for root in roots]
        self.folders = [ChipFolder(root, bands, part, True, strict) for root, part in zip(roots, splits)]
        self.chips: list[StoredImage] = []
        for number, folder in enumerate(self.folders):
            if first_process():
                show("\n".join(map(printable, describe(folder).splitlines())), sys.stderr)
            before = len(self.chips)
            for index, entry in enumerate(folder.entries):
                if entry.pixels:
                    self.chips.append(StoredImage(number, index, entry.pixels, entry.coverage))
            if len(self.chips) == before:
                raise InputError(f"No valid pixel in {folder.root}.", "Check its nodata value, bands and units.")
        self._memory = ImageMemory(self.folders, memory_gb)
        self._cumulative = np.cumsum(self._probabilities())
        self._dates = self._by_place()

    def fill(self) -> None:
        """Read the images that are kept in memory now, for worker processes that share them, instead of when drawn.

        Raises:
            UnreadableError: An image can't be read and `strict` is set.
        """
        for number, index, error in self._memory.fill():
            self._leave_out(self.folders[number], index, error)

    def _leave_out(self, folder: ChipFolder, index: int, error: UnreadableError) -> None:
        if self._strict:
            raise error
        print_left_out(folder.root, {folder.names[index]: error.message}, len(folder))

    def _probabilities(self) -> DoubleArray:
        pixels = np.array([chip.pixels for chip in self.chips], dtype=np.float64)
        folder = np.array([chip.folder for chip in self.chips])
        totals = np.bincount(folder, weights=pixels)
        share = np.sqrt(totals) * np.array([f.facts.weight for f in self.folders])
        if not share.sum() > 0:
            raise InputError("The weights of all data folders are 0.", "Set weight in dataset.toml above 0.")
        result: DoubleArray = (share / share.sum())[folder] * pixels / totals[folder]
        return result

    def _place(self, chip: StoredImage) -> str | None:
        folder = self.folders[chip.folder]
        return folder.places.get(folder.names[chip.index])

    def _by_place(self) -> dict[tuple[int, str], list[int]]:
        """Return the numbers of the images of each place of each folder."""
        dates: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
        for number, chip in enumerate(self.chips):
            place = self._place(chip)
            if place is not None:
                dates[chip.folder, place].append(number)
        return dict(dates)

    @property
    def files(self) -> dict[str, str]:
        """Return a short hash of each file's part in draws, by folder and name: a resumed run names those that differ.

        Empty where there are too many to be kept with a run.
        """
        if len(self.chips) > MOST_NAMES:
            return {}
        lines: dict[str, list[str]] = {}
        for chip in self.chips:
            entry = self.folders[chip.folder].entries[chip.index]
            fixed = (entry.height, entry.width, entry.numbers, entry.levels, chip.coverage, chip.pixels)
            lines.setdefault(f"{self.folders[chip.folder].root.name}/{entry.name}", []).append(str(fixed))
        return {name: hashlib.sha256("".join(texts).encode()).hexdigest()[:12] for name, texts in lines.items()}

    @property
    def fingerprint(self) -> str:
        """Hash all that draws depend on, except pixel values; a resumed run must have the same hash."""
        lines = []
        for folder in self.folders:
            facts = asdict(folder.facts)
            lines.append(json.dumps([facts[k] for k in sorted(facts) if k not in _NOT_DRAWN]))
            lines.append(folder.units.value)
        for chip in self.chips:
            entry = self.folders[chip.folder].entries[chip.index]
            fixed = (entry.height, entry.width, entry.numbers, entry.levels, chip.coverage, self._place(chip))
            lines.append(f"{chip.folder} {entry.name} {chip.pixels} {fixed}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def draw(self, crops: CropConfig, rng: np.random.Generator) -> CropSample:
        """Draw a window of an image, and the same window at another date if pairs are wanted and the place has one.

        If a window can't be read, its image is named and another window is drawn.

        Raises:
            UnreadableError: A window can't be read and `strict` is set, or DRAWS windows in a row can't be read.
        """
        for _ in range(DRAWS - 1):
            try:
                return self._draw(crops, rng)
            except _UnreadableChipError as error:
                self._leave_out(self.folders[error.chip.folder], error.chip.index, error.reason)
        try:
            return self._draw(crops, rng)
        except _UnreadableChipError as error:
            raise error.reason from error

    def _draw(self, crops: CropConfig, rng: np.random.Generator) -> CropSample:
        position = int(np.searchsorted(self._cumulative, rng.random() * self._cumulative[-1], side="right"))
        position = min(position, len(self.chips) - 1)
        chosen = [self.chips[number] for number in (position, *self._other_date(position, crops.pairs, rng))]
        coverages = [self._coverage(chip) for chip in chosen]

        def read(window: Sequence[int]) -> list[tuple[NDArray[Any], BoolArray]]:
            return [self._read(chip, window) for chip in chosen]

        dates = cut_windows(read, coverages, crops.window, crops.min_valid, rng)
        # The level of some sources isn't known. All views of a sample get one gain: levels vary between draws, but
        # views of one place don't teach the network to ignore the level.
        jitter = self.folders[chosen[0].folder].facts.level_jitter_db
        return CropSample(dates, float(rng.normal(0, jitter)) if jitter else 0.0)

    def _other_date(self, position: int, pairs: float, rng: np.random.Generator) -> list[int]:
        chip = self.chips[position]
        place = self._place(chip)
        if place is None or not pairs:
            return []
        others = [number for number in self._dates[chip.folder, place] if number != position]
        return [others[rng.integers(len(others))]] if others and rng.random() < pairs else []

    def _coverage(self, chip: StoredImage) -> Coverage:
        entry = self.folders[chip.folder].entries[chip.index]
        return Coverage.unpack(chip.coverage, entry.height, entry.width)

    def _read(self, chip: StoredImage, window: Sequence[int]) -> Pixels:
        try:
            return self._memory.window(chip.folder, chip.index, window)
        except UnreadableError as error:
            raise _UnreadableChipError(chip, error) from error
