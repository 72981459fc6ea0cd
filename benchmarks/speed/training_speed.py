"""Measure images a second of pre-training against bare forward and backward passes, and the wait for data.

    python -m benchmarks.speed.training_speed --data FOLDER [FOLDER …] [--recipe cpu_small] [--steps 10] [--rounds 3]
        [--set KEY=VALUE …] [--json PATH]

"training" is the loop of `python -m training.pretrain`: batches read, cut and augmented by its loader, the optimiser
step, and the update of the teacher. "bare" is the forward passes of teacher and student, the loss and the backward pass
on one batch in memory. They run in turn. "waiting" is the share of the training's time until the next batch is ready.
Steps that compare tokens are measured; with --set dino.levels_first=1 those before, in which levels alone are learnt.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import torch

from backend.engines.precision import autocast
from backend.engines.pytorch import choose_device
from benchmarks.speed.timing import interleaved, summary
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches, iterate
from training.draws.store import ChipStore
from training.run.config import load_recipe, override, resolve
from training.run.distributed import World
from training.run.pretrain_config import PretrainConfig


class Contest:
    """Run a trainer both ways.

    Args:
        config: Settings of the recipe.
        data: Data folders.
        steps: Steps of a turn.
    """

    def __init__(self, config: PretrainConfig, data: list[Path], steps: int) -> None:
        self.config, self.steps = at_its_steps(config), steps
        config = self.config
        self.compared = not config.dino.levels_steps(config.optim.steps)
        store = ChipStore(data, config.model.bands, config.run.memory_gb, config.split, strict=False)
        self.world = World(0, 1, choose_device(config.run.device))
        self.trainer = Trainer(config, self.world)
        self.batches = StepBatches(store, config)
        self.made = self.trainer.views.make(self.batches[0])
        self.waited = self.trained = 0.0

    def training(self) -> float:
        """Return the seconds of some steps, from the first batch on: starting workers is no part of a long run."""
        if self.config.run.workers:
            self.batches.store.fill()
        source = iterate(self.batches, range(self.steps + 1), self.config.run.workers, self.world.device.type == "cuda")
        self.trainer.step(0, next(source))
        began = time.perf_counter()
        for step in range(1, self.steps + 1):
            asked = time.perf_counter()
            plan = next(source)
            self.waited += time.perf_counter() - asked
            self.trainer.step(step, plan, watched=step % self.config.run.log_every == 0)
        self._settle()
        seconds = time.perf_counter() - began
        self.trained += seconds
        return seconds

    def bare(self) -> float:
        """Return the seconds of as many forward and backward passes."""
        trainer, (groups, clean, mask) = self.trainer, self.made
        began = time.perf_counter()
        for _ in range(self.steps):
            trainer.optimizer.zero_grad(set_to_none=True)
            targets = None
            with autocast(trainer.precision, self.world.device):
                if self.compared:
                    with torch.no_grad():
                        targets = trainer.objective.targets(trainer.pair.teacher(groups[:1], mask), 0.06)
                student = trainer.forward_student(groups, mask)
            levels = trainer.levels(clean) if self.config.dino.levels_weight > 0 else None
            losses = trainer.objective(student, targets, mask, levels)
            torch.autograd.backward(trainer.objective.total(losses))
        self._settle()
        return time.perf_counter() - began

    def _settle(self) -> None:
        if self.world.device.type == "cuda":
            torch.cuda.synchronize()


def at_its_steps(config: PretrainConfig) -> PretrainConfig:
    """Return settings whose first steps are those that are measured: they compare tokens, if any step does."""
    if config.dino.levels_steps(config.optim.steps) == config.optim.steps:
        return config
    return dataclasses.replace(config, dino=dataclasses.replace(config.dino, levels_first=0.0))


def measure(config: PretrainConfig, data: list[Path], steps: int, rounds: int) -> dict[str, Any]:
    """Measure both in turn."""
    contest = Contest(config, data, steps)
    timings = interleaved({"bare": contest.bare, "training": contest.training}, rounds)
    found = summary(timings, "bare")
    for figures in found["contenders"].values():
        figures["images_per_second"] = round(steps * config.optim.batch / figures["seconds"], 2)
    waiting = round(contest.waited / contest.trained, 4)
    return {"batch": config.optim.batch, "workers": config.run.workers, "waiting": waiting, **found}


def main() -> None:
    """Print both; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--recipe", default="cpu_small")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    config = resolve(PretrainConfig, override(load_recipe(given.recipe), given.set))
    found = {"recipe": given.recipe, **measure(config, given.data, given.steps, given.rounds)}
    for name, figures in found["contenders"].items():
        print(f"{name:10} {figures['images_per_second']:8.1f} images/s   {figures['ratio']:.3f}")
    print(f"waiting for data: {found['waiting']:.1%} of the time, with {found['workers']} workers")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
