"""Batches of views as a function of (seed, step): which chips, which windows, which views.

Nothing here has a position that would need saving. A sample is drawn from its own generator, seeded by the run,
the step and its place in the global batch: the same whatever the number of workers or processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from backend.card import Band
from backend.errors import InputError
from training.crops import cut_window, views
from training.dataset import Chip, ChipFolder
from training.settings import PretrainConfig
from training.workers import start_worker


@dataclass(frozen=True)
class Stored:
    """A chip in memory, or where to read it again.

    Attributes:
        db: float16 [B, H, W], which keeps 0.02 dB; None where the memory budget was spent.
        valid: bool [H, W]; None with `db`.
        folder: index of its folder.
        index: position in the folder.
        pixels: number of valid pixels.
        jitter_db: deviation of the random gain of the whole sample.
    """

    db: NDArray[np.float16] | None
    valid: NDArray[np.bool_] | None
    folder: int
    index: int
    pixels: int
    jitter_db: float


class ChipStore:
    """All chips of several data folders, in memory as far as a budget goes.

    A folder is drawn in proportion to the square root of its valid pixels times its weight, so that a large
    source leads without silencing the small ones; within a folder, chips by their valid pixels.

    Args:
        roots: data folders.
        bands: the card's bands.
        memory_gb: budget for chips kept in memory.

    Raises:
        InputError: A folder has no raster, or no valid pixel at all.
    """

    def __init__(self, roots: Sequence[Path], bands: Sequence[Band], memory_gb: float) -> None:
        """Read every chip once."""
        self.folders = [ChipFolder(root, bands) for root in roots]
        self.chips: list[Stored] = []
        left = memory_gb * 1e9
        for number, folder in enumerate(self.folders):
            before = len(self.chips)
            for index, chip in enumerate(folder):
                stored = _store(chip, number, index, left)
                if stored.pixels:
                    self.chips.append(stored)
                    left -= 0 if stored.db is None else stored.db.nbytes + chip.valid.nbytes
            if len(self.chips) == before:
                raise InputError(f"No valid pixel in {folder.root}.", "Check its nodata value, bands and units.")
        self._cumulative = np.cumsum(self._probabilities())

    def _probabilities(self) -> NDArray[np.float64]:
        pixels = np.array([chip.pixels for chip in self.chips], dtype=np.float64)
        folder = np.array([chip.folder for chip in self.chips])
        totals = np.bincount(folder, weights=pixels)
        share = np.sqrt(totals) * np.array([f.facts.weight for f in self.folders])
        if not share.sum() > 0:
            raise InputError("The weights of the data folders sum to 0.", "Set weight in dataset.toml above 0.")
        result: NDArray[np.float64] = (share / share.sum())[folder] * pixels / totals[folder]
        return result

    @property
    def gigapixels(self) -> float:
        """Valid pixels in all chips, in thousands of millions."""
        return sum(chip.pixels for chip in self.chips) / 1e9

    @property
    def fingerprint(self) -> str:
        """A hash of folder order, file names and valid pixels, by which a resumed run knows its data again."""
        lines = [f"{c.folder} {self.folders[c.folder].names[c.index]} {c.pixels}" for c in self.chips]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[np.bool_], float]:
        """A chip by the probabilities above: dB [B, H, W], validity [H, W], and jitter in dB."""
        position = int(np.searchsorted(self._cumulative, rng.random() * self._cumulative[-1], side="right"))
        chip = self.chips[min(position, len(self.chips) - 1)]
        if chip.db is not None and chip.valid is not None:
            return chip.db, chip.valid, chip.jitter_db
        read = self.folders[chip.folder][chip.index]
        return read.db, read.valid, chip.jitter_db


def _store(chip: Chip, folder: int, index: int, budget: float) -> Stored:
    fits = chip.db.nbytes // 2 + chip.valid.nbytes <= budget
    db = chip.db.astype(np.float16) if fits else None
    pixels = int(np.count_nonzero(chip.valid))
    return Stored(db, chip.valid if fits else None, folder, index, pixels, chip.level_jitter_db)


class StepBatches(Dataset[list[torch.Tensor]]):
    """``batches[step]``: this process's share of the step's views, grouped by size.

    Args:
        store: chips.
        config: batch, seed, crops, bands.
        rank: number of this process.
        processes: how many there are; divides the batch.

    Raises:
        InputError: The batch can't be shared evenly.
    """

    def __init__(self, store: ChipStore, config: PretrainConfig, rank: int = 0, processes: int = 1) -> None:
        """Keep the share of this process."""
        batch = config.optim.batch
        if batch % processes:
            raise InputError(f"optim.batch {batch} can't be shared by {processes} processes.", "Set a multiple.")
        share = batch // processes
        self.store, self.config = store, config
        self.places = range(rank * share, (rank + 1) * share)

    def __getitem__(self, step: int) -> list[torch.Tensor]:
        """Global views [2, N, B, g, g] and, where there are any, local views [L, N, B, l, l]."""
        crops = self.config.crops
        rngs = [np.random.default_rng((self.config.run.seed, step, place)) for place in self.places]
        windows, gains = [], []
        for rng in rngs:
            db, valid, jitter = self.store.draw(rng)
            windows.append(cut_window(db, valid, crops.window, crops.min_valid, rng))
            # The level of some sources isn't known. One gain for all views of a sample: its level varies from draw
            # to draw, but two views of one place never teach that the level does not matter.
            gains.append(float(rng.normal(0, jitter)) if jitter else 0.0)
        return views(windows, gains, rngs, self.config.model.bands, crops)


def iterate(batches: StepBatches, steps: range, workers: int, pin: bool) -> Iterator[list[torch.Tensor]]:
    """The batches of `steps` in order, cut ahead by `workers` processes where there are any."""
    loader = DataLoader(
        batches, batch_size=None, sampler=steps, num_workers=workers, worker_init_fn=start_worker, pin_memory=pin
    )
    yield from loader
