"""Draw the batch of views of a step, as a function of seed and step.

There is no state to save. Each sample has its own random generator, seeded by the run, the step and the sample's index
in the global batch, so that workers and processes don't change it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset

from backend.core.errors import InputError
from training.data.ahead import read_ahead
from training.draws.store import ChipStore
from training.run.pretrain_config import PretrainConfig
from training.views.crops import ViewPlan, plan_views
from training.views.masking import step_masks


class StepBatches(Dataset[ViewPlan]):
    """Return this process's share of the views of a step as ``batches[step]``.

    Args:
        store: Images.
        config: Batch, seed, crops and bands.
        rank: Rank of this process.
        processes: Number of processes; divides the batch.

    Raises:
        InputError: The processes don't divide the batch.
    """

    def __init__(self, store: ChipStore, config: PretrainConfig, rank: int = 0, processes: int = 1) -> None:
        batch = config.optim.batch
        if batch % processes:
            raise InputError(f"optim.batch is {batch}, with {processes} processes.", f"Set a multiple of {processes}.")
        share = batch // processes
        self.store, self.config = store, config
        self.places = range(rank * share, (rank + 1) * share)

    def __getitem__(self, step: int) -> ViewPlan:
        """Draw windows and views of this process's samples."""
        crops, dino = self.config.crops, self.config.dino
        if step < dino.levels_steps(self.config.optim.steps):
            crops = dataclasses.replace(crops, local_count=0)
        rngs = [np.random.default_rng((self.config.run.seed, step, place)) for place in self.places]
        samples = [self.store.draw(crops, rng) for rng in rngs]
        plan = plan_views(samples, rngs, self.config.model.bands, crops)
        return with_masks(plan, self.config, step, self.places)


def with_masks(plan: ViewPlan, config: PretrainConfig, step: int, places: range) -> ViewPlan:
    """Return a plan with the masks of its samples, if the settings have any.

    Args:
        plan: Views of the samples.
        config: Settings.
        step: Number of the step.
        places: Places of the samples in the global batch.
    """
    if not config.dino.masks:
        return plan
    side = config.crops.global_size // config.model.patch
    masks = step_masks(config.run.seed, step, places, (side, side), config.dino)
    return plan._replace(mask=torch.from_numpy(masks))


def iterate(batches: StepBatches, steps: range, workers: int, pin: bool) -> Iterator[ViewPlan]:
    """Yield the batches of `steps` in order; `workers` processes, if any, draw them in advance.

    Workers share the images that `ChipStore.fill` read before, and read others for themselves.
    """
    yield from read_ahead(batches, steps, workers, pin)
