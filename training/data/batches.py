"""Batches of views as a function of (seed, step): which images, which windows, which views.

Nothing here has a position that would need saving. A sample is drawn from its own generator, seeded by the run,
the step and its place in the global batch: the same whatever the number of workers or processes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from backend.core.errors import InputError
from training.data.crops import views
from training.data.store import ChipStore
from training.run.distributed import start_worker
from training.run.pretrain_config import PretrainConfig


class StepBatches(Dataset[list[torch.Tensor]]):
    """``batches[step]``: this process's share of the step's views, grouped by size.

    Args:
        store: images.
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
        samples = [self.store.draw(crops, rng) for rng in rngs]
        return views(samples, rngs, self.config.model.bands, crops)


def iterate(batches: StepBatches, steps: range, workers: int, pin: bool) -> Iterator[list[torch.Tensor]]:
    """The batches of `steps` in order, cut ahead by `workers` processes where there are any."""
    loader = DataLoader(
        batches, batch_size=None, sampler=steps, num_workers=workers, worker_init_fn=start_worker, pin_memory=pin
    )
    yield from loader
