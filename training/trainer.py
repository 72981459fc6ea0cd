"""Networks, loss and optimiser of a pre-training run: one step of it, its health, and its whole state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from backend import __version__
from backend.errors import ModelError
from backend.vit import build_backbone
from training.checkpoint import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.dino import DinoLoss, MultiCropNetwork, StudentTeacher, all_reduce_mean, parameter_groups
from training.export import save_backbone
from training.schedules import StepValues, values_at
from training.settings import PretrainConfig
from training.workers import World


class Trainer:
    """Networks, loss and optimiser of a run, and one step of it.

    Args:
        config: settings.
        world: this process and its device.
    """

    def __init__(self, config: PretrainConfig, world: World) -> None:
        """Same weights in every process, as all start from the seed."""
        self.config, self.world = config, world
        torch.manual_seed(config.run.seed)
        model = config.model
        backbone = build_backbone(model.arch, len(model.bands), model.tile, model.patch)
        self.pair = StudentTeacher(backbone, model.arch.embed_dim, config.dino).to(world.device).train()
        dino = config.dino
        self.loss = DinoLoss(dino.out_dim, dino.student_temp, dino.centre_momentum).to(world.device)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.pair.student))
        self.forward_student: MultiCropNetwork | DistributedDataParallel = self.pair.student
        if world.size > 1:
            self.forward_student = DistributedDataParallel(self.pair.student)
        # bf16 needs no loss scaling. Only on CUDA with the instructions: CPUs without them emulate it 100 times slower.
        self.mixed = world.device.type == "cuda" and torch.cuda.is_bf16_supported()

    def step(self, step: int, groups: Sequence[Tensor]) -> dict[str, float]:
        """One optimiser step.

        Args:
            step: number of the step, from 0.
            groups: views as `crops.views` gives them.

        Returns:
            Loss (mean over processes) and gradient norm.

        Raises:
            ModelError: The loss or the gradient is not finite; nothing has been changed by this step.
        """
        values = values_at(step, self.config.optim, self.config.dino)
        self._schedule(values)
        # Drop path is the only draw in here. Seeding it by the step leaves no generator's state to be saved.
        torch.manual_seed(_seed(self.config.run.seed, step, self.world.rank))
        groups = [g.to(self.world.device, non_blocking=True) for g in groups]
        with torch.autocast(self.world.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            with torch.no_grad():
                teacher, self.tokens = self.pair.teacher(groups[:1])
                self.targets = self.loss.probabilities(teacher, values.teacher_temp)
            student, _ = self.forward_student(groups)
        loss = self.loss(student, self.targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if values.freeze_last_layer:
            for parameter in self.pair.student.head.last_layer.parameters():
                parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.pair.student.parameters(), self.config.optim.clip_grad or math.inf)
        mean = float(all_reduce_mean(loss.detach().clone()))
        if not (math.isfinite(mean) and math.isfinite(float(norm))):
            raise ModelError(
                f"Step {step} gave a loss of {mean} and a gradient norm of {float(norm)}.",
                "The last good checkpoint is kept. Lower optim.base_lr or raise optim.warmup, and start again.",
            )
        self.optimizer.step()
        self.loss.update_centre(teacher)
        self.pair.update_teacher(values.momentum)
        return {"loss": mean, "grad_norm": float(norm)}

    def _schedule(self, values: StepValues) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = values.lr
            group["weight_decay"] = values.weight_decay if group["decay"] else 0.0

    @torch.no_grad()
    def health(self) -> dict[str, float]:
        """How well the teacher told apart the images of the last step; the same on all processes.

        Returns:
            ``teacher_entropy``: mean entropy of a target, in nats. ``information``: entropy of the mean target less
            that, the mutual information of view and prototype. ``spread``: deviation of the direction of class
            tokens over the batch, 0 where all are alike to 1 where they point everywhere.
        """
        targets = self.targets.flatten(0, 1)
        each = all_reduce_mean(torch.special.entr(targets).sum(dim=-1).mean())
        mean = torch.special.entr(all_reduce_mean(targets.mean(dim=0))).sum()
        directions = torch.nn.functional.normalize(self.tokens.float().flatten(0, 1), dim=-1)
        centre = all_reduce_mean(directions.mean(dim=0))
        spread = (1 - centre.square().sum()).clamp(min=0).sqrt()
        return {"teacher_entropy": float(each), "information": float(mean - each), "spread": float(spread)}

    def save(self, run: Path, step: int) -> None:
        """Checkpoint after `step` steps, and the teacher's backbone beside it."""
        tensors = {f"network.{k}": v for k, v in self.pair.state_dict().items()}
        tensors |= {f"loss.{k}": v for k, v in self.loss.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer, self.pair.student)
        save_checkpoint(run / "checkpoint", step, tensors, {"version": __version__, "torch": torch.__version__})
        save_backbone(run, self.pair.teacher.backbone, self.config.model, step=step, steps=self.config.optim.steps)

    def restore(self, run: Path) -> int:
        """Continue from the checkpoint of `run`; returns the number of steps done.

        Raises:
            ModelError: There is no checkpoint, or it is of another network.
        """
        step, tensors, _ = load_checkpoint(run / "checkpoint")
        try:
            self.pair.load_state_dict(_under("network.", tensors))
            self.loss.load_state_dict(_under("loss.", tensors))
            restore_optimizer(self.optimizer, self.pair.student, tensors)
        except (RuntimeError, KeyError) as error:
            raise ModelError(f"The checkpoint in {run} is of another network: {error}.", "Start a new run.") from error
        return step


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
