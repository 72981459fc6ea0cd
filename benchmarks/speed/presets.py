"""Measure what a pre-training recipe costs on this device: parameters, images a second, peak memory, hours.

    python -m benchmarks.speed.presets [RECIPE ...] [--batch 4] [--steps 3] [--device auto] [--json PATH]

Each recipe of training/recipes with a [model] and [crops] of pre-training runs `--steps` steps of its trainer, after
one that isn't counted, on views of noise. It runs in a process of its own, for its peak memory. Reading images isn't
counted. The hours are those of the recipe's steps and batch at this speed; steps that learn levels alone are faster.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.engines.pytorch import choose_device
from benchmarks.speed.training_speed import at_its_steps
from training.dino.trainer import Trainer
from training.draws.batches import with_masks
from training.run.config import load_recipe, resolve
from training.run.distributed import World
from training.run.pretrain_config import PretrainConfig
from training.views.crops import CropSample, ViewPlan, plan_views

NAMES = ("cpu_small", "vit_tiny_patch8", "vit_small_patch8", "vit_small_patch16", "vit_base_patch16")


def noise(config: PretrainConfig) -> ViewPlan:
    """Plan the views of a batch from noise in dB."""
    bands, side = config.model.bands, config.crops.window
    rngs = [np.random.default_rng(place) for place in range(config.optim.batch)]
    samples = [CropSample([rng.normal(-15, 3, (len(bands), side, side)).astype(np.float32)]) for rng in rngs]
    return with_masks(plan_views(samples, rngs, bands, config.crops), config, 0, range(config.optim.batch))


def measure(name: str, batch: int, steps: int, device: str) -> dict[str, Any]:
    """Measure one recipe in this process."""
    config = resolve(PretrainConfig, load_recipe(name))
    whole = config.optim.steps * config.optim.batch
    config = at_its_steps(dataclasses.replace(config, optim=dataclasses.replace(config.optim, batch=batch)))
    place = choose_device(device)
    trainer = Trainer(config, World(0, 1, place))
    plan = noise(config)
    seconds = []
    for step in range(steps + 1):
        start = time.perf_counter()
        trainer.step(step, plan, watched=False)
        if place.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    speed = batch / min(seconds[1:])
    on_gpu = torch.cuda.max_memory_allocated() / 2**30 if place.type == "cuda" else None
    return {
        "recipe": name,
        "device": str(place),
        "backbone_parameters_millions": sum(p.numel() for p in trainer.pair.teacher.backbone.parameters()) / 1e6,
        "batch": batch,
        "images_per_s": speed,
        "peak_gib": on_gpu or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "recipe_images": whole,
        "recipe_hours": whole / speed / 3600,
    }


def main() -> None:
    """Measure each recipe in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=NAMES)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.recipes[0], given.batch, given.steps, given.device)))
        return
    rows = []
    for name in given.recipes:
        command = [sys.executable, "-m", "benchmarks.speed.presets", name, "--alone", "--batch", str(given.batch)]
        command += ["--steps", str(given.steps), "--device", given.device]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        print(
            f"{name:18} {row['backbone_parameters_millions']:5.1f} M  {row['images_per_s']:8.2f} images/s  "
            f"{row['peak_gib']:5.1f} GiB at a batch of {row['batch']}  {row['recipe_hours']:9.1f} h for the recipe "
            f"on {row['device']}",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
