"""Do two steps of tiny pre-trainings with all options, in one process or several; write losses and gradients.

    torchrun --nproc-per-node 2 two_process_worker.py OUT_DIR

Run by test_options.py, which calls `run` itself for the one process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from training.dino.trainer import Trainer
from training.draws.batches import with_masks
from training.run.config import resolve
from training.run.distributed import World, joined, leave_processes
from training.run.pretrain_config import PretrainConfig
from training.views.crops import CropSample, ViewPlan, plan_views

# dino.drop_path is 0, since which paths are dropped differs by process.
DINO = {"out_dim": 16, "hidden_dim": 16, "bottleneck_dim": 8, "drop_path": 0.0, "ibot_weight": 1.0, "koleo_weight": 0.1}
CASES = {
    "sinkhorn": {"centring": "sinkhorn"},
    "ema_own_head": {"ibot_shared_head": False},
    # In one of the processes no patch is hidden, and in the end in none.
    "few_masks": {"mask_probability": 0.1, "centring": "sinkhorn"},
    "no_masks": {"mask_probability": 0.0, "centring": "sinkhorn"},
    "levels": {"levels_weight": 0.5, "ibot_weight": 0.0, "levels_scales": (8, 24)},
    "standardised": {"standardise": True, "centring": "sinkhorn"},
    "levels_first": {
        "standardise": True,
        "levels_tails": True,
        "levels_weight": 0.5,
        "levels_first": 0.5,
        "levels_scales": (8, 24),
    },
}
BATCH, STEPS = 6, 2


def config_of(case: str, registers: int = 1, **run: object) -> PretrainConfig:
    return resolve(
        PretrainConfig,
        {
            "model": {
                "arch": {
                    "timm": "vit_tiny_patch16_224",
                    "embed_dim": 16,
                    "depth": 2,
                    "heads": 2,
                    "registers": registers,
                },
                "patch": 8,
                "tile": 32,
            },
            "crops": {"window": 48, "global_size": 32, "local_size": 16, "local_count": 2},
            "dino": {**DINO, **CASES[case]},
            "optim": {"steps": 4, "batch": BATCH, "base_lr": 0.04, "warmup": 0.0, "freeze_last_layer": 0.0},
            "run": {"device": "cpu", **run},
        },
    )


def batch_of(step: int, config: PretrainConfig, places: range = range(BATCH)) -> ViewPlan:
    """Draw the views of some samples of a step from noise; sample `place` is the same in any range."""
    rngs = [np.random.default_rng((step, place)) for place in places]
    samples = [CropSample([rng.normal(-15, 4, (2, 48, 48)).astype(np.float32)]) for rng in rngs]
    return with_masks(plan_views(samples, rngs, config.model.bands, config.crops), config, step, places)


def run(case: str, world: World) -> dict[str, Tensor]:
    config = config_of(case)
    trainer = Trainer(config, world)
    share = BATCH // world.size
    mine = range(world.rank * share, (world.rank + 1) * share)
    found = {}
    for step in range(STEPS):
        row = trainer.step(step, batch_of(step, config, mine))
        found |= {f"{step}.{name}": torch.tensor(value) for name, value in row.items() if np.isfinite(value)}
        for name, parameter in trainer.pair.student.named_parameters():
            if parameter.grad is not None:
                found[f"{step}.gradient.{name}"] = parameter.grad.clone()
    found |= {f"objective.{name}": value for name, value in trainer.objective.state_dict().items()}
    return {f"{case}.{name}": value.contiguous() for name, value in found.items()}


def main() -> None:
    with joined("cpu") as world:
        found = {name: value for case in CASES for name, value in run(case, world).items()}
        if world.first:
            save_file(found, Path(sys.argv[1]) / "found.safetensors")


if __name__ == "__main__":
    main()
    leave_processes(0)
