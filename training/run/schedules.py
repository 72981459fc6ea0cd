"""Compute learning rate, weight decay, momentum and temperature from the step.

There is no state: a resumed run continues without any being saved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from training.run.pretrain_config import DinoConfig, OptimConfig

REFERENCE_BATCH = 256  # linear learning-rate scaling of Goyal et al. 2017, as used by Caron et al. 2021


def linear(start: float, end: float, step: int, steps: int) -> float:
    """Go from `start` at step 0 to `end` at `steps` and stay there; if `steps` is 0, return `end`."""
    if step >= steps:
        return end
    return start + (end - start) * step / steps


def cosine(start: float, end: float, step: int, steps: int) -> float:
    """Go by half a cosine from `start` at step 0 to `end` at step ``steps - 1`` and stay there."""
    if step >= steps - 1:
        return end
    return start + (end - start) * 0.5 * (1 - math.cos(math.pi * step / (steps - 1)))


@dataclass(frozen=True)
class StepValues:
    """Hold the scheduled values of one step.

    Attributes:
        lr: Learning rate, scaled by the batch.
        weight_decay: Weight decay of weights; biases and norms have none.
        momentum: Momentum of the teacher's EMA after this step.
        teacher_temp: Teacher temperature.
        freeze_last_layer: Whether the last layer of the head is not trained in this step.
    """

    lr: float
    weight_decay: float
    momentum: float
    teacher_temp: float
    freeze_last_layer: bool


def values_at(step: int, optim: OptimConfig, dino: DinoConfig) -> StepValues:
    """Return the values of a step (0 to ``optim.steps - 1``) after Caron et al. 2021, section 3.2 and appendix.

    Temperature and freezing count from the first step in which tokens are compared, over the steps that follow it.
    """
    before = dino.levels_steps(optim.steps)
    compared, left = step - before, optim.steps - before
    warmup = round(optim.warmup * optim.steps)
    peak = optim.base_lr * optim.batch / REFERENCE_BATCH
    if step < warmup:
        lr = linear(0.0, peak, step + 1, warmup)  # +1, as a first step with a rate of 0 would be wasted
    else:
        lr = cosine(peak, optim.min_lr, step - warmup, optim.steps - warmup)
    return StepValues(
        lr=lr,
        weight_decay=cosine(optim.weight_decay, optim.weight_decay_end, step, optim.steps),
        momentum=cosine(dino.momentum, 1.0, step, optim.steps),
        teacher_temp=linear(
            dino.teacher_temp_start, dino.teacher_temp, max(compared, 0), round(dino.teacher_temp_warmup * left)
        ),
        freeze_last_layer=compared < round(optim.freeze_last_layer * left),
    )
