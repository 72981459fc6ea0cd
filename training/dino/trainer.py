"""Train in steps: networks, objective and optimiser of a pre-training, with their state."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from backend import __version__
from backend.core.errors import InputError, ModelError
from backend.engines.precision import autocast, settle_precision
from backend.network.vit import build_backbone
from training.dino.backbone import save_backbone, take_weights
from training.dino.levels import LocalLevels
from training.dino.network import MultiCropNetwork, Outputs, StudentTeacher, parameter_groups
from training.dino.objective import Objective, Targets
from training.run.checkpoint import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.run.distributed import World, all_reduce_mean, kept
from training.run.pretrain_config import PretrainConfig
from training.run.schedules import StepValues, values_at
from training.views.crops import ViewPlan
from training.views.maker import ViewMaker, Views


class Trainer:
    """Hold networks, objective and optimiser of a run, and do its steps.

    All processes start with the same weights, as they are drawn from the seed.

    Args:
        config: Settings.
        world: This process and its device.
        start: Folder of a run whose backbone this one starts from; None for random weights.

    Raises:
        ResourceError: The device doesn't support the precision.
        ModelError: The backbone of `start` can't be read.
        InputError: It has other sizes.
    """

    def __init__(self, config: PretrainConfig, world: World, start: Path | None = None) -> None:
        self.config, self.world = config, world
        self.precision = settle_precision(config.run.precision, world.device)
        torch.manual_seed(config.run.seed)
        model = config.model
        backbone = build_backbone(model.arch, len(model.bands), model.tile, model.patch)
        if start is not None:
            take_weights(backbone, start, model)
        self.pair = StudentTeacher(backbone, model.arch.embed_dim, config.dino, len(model.bands))
        self.pair = self.pair.to(world.device).train()
        self.objective = Objective(config.dino).to(world.device)
        self.views = ViewMaker(model.bands, config.crops, world.device)
        self.levels = LocalLevels(model.bands, model.patch, config.dino.levels_scales, config.dino.levels_tails).to(
            world.device
        )
        self.optimizer = torch.optim.AdamW(parameter_groups(self.pair.student))
        self.forward_student: MultiCropNetwork | DistributedDataParallel = self.pair.student
        if world.size > 1:
            self.forward_student = kept(DistributedDataParallel(self.pair.student))

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the parts of the loss that `step` returns; none if there is only one."""
        names = tuple(f"loss_{name}" for name in self.objective.weights)
        return names if len(names) > 1 else ()

    def step(self, step: int, plan: ViewPlan, watched: bool = True) -> dict[str, float]:
        """Take one optimiser step.

        While levels alone are learnt, the teacher gives no targets; it is run only for `health`.

        Args:
            step: Number of the step, from 0.
            plan: Views of the step, of `training.views.crops.plan_views`.
            watched: Whether `health` will be asked for after this step.

        Returns:
            Loss (mean over processes), gradient norm, and `columns`; NaN for parts that this step leaves out.

        Raises:
            ModelError: The loss or the gradient is not finite; this step has changed nothing.
        """
        values = values_at(step, self.config.optim, self.config.dino)
        self._schedule(values)
        # Drop path is the only random draw here. It is seeded by the step, so that no state of a generator has to be
        # saved.
        torch.manual_seed(_seed(self.config.run.seed, step, self.world.rank))
        views = self.views.make(plan)
        compared = step >= self.config.dino.levels_steps(self.config.optim.steps)
        teacher = self._teacher(views, values.teacher_temp, follow=compared) if compared or watched else None
        losses, loss = self._losses(views, self.targets if compared else None)
        norm = self._backward(loss, values)
        means = all_reduce_mean(torch.stack([loss, *losses.values()]).detach()).tolist()
        if not (math.isfinite(means[0]) and math.isfinite(norm)):
            raise ModelError(
                f"Step {step} gave a loss of {means[0]} and a gradient norm of {norm}.",
                "The last checkpoint is kept. Lower optim.base_lr or raise optim.warmup, and start again.",
            )
        self.optimizer.step()
        if compared and teacher is not None:
            self.objective.update(teacher)
        self.pair.update_teacher(values.momentum)
        parts = {f"loss_{name}": mean for name, mean in zip(losses, means[1:])}
        return {"loss": means[0], "grad_norm": norm} | {name: parts.get(name, math.nan) for name in self.columns}

    @torch.no_grad()
    def _teacher(self, views: Views, temperature: float, follow: bool) -> Outputs:
        """Run the teacher on the global views, and keep what `health` looks at."""
        with autocast(self.precision, self.world.device):
            teacher = self.pair.teach(views.groups[:1], views.mask, follow)
        self.tokens, self.targets = teacher.tokens, self.objective.targets(teacher, temperature)
        return teacher

    def _losses(self, views: Views, targets: Targets | None) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses of the student by name, and their weighted sum; without targets, those of levels."""
        with autocast(self.precision, self.world.device):
            student = self.forward_student(views.groups, views.mask)
        levels = self.levels(views.clean) if self.config.dino.levels_weight > 0 else None
        losses = self.objective(student, targets, views.mask, levels)
        loss = self.objective.total(losses)
        if targets is None:
            # DistributedDataParallel waits for the gradient of every weight.
            for idle in (student.logits, student.patches):
                loss = loss + 0.0 * idle.float().sum() if idle is not None else loss
        return losses, loss

    def _backward(self, loss: Tensor, values: StepValues) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if values.freeze_last_layer:
            for layer in self.pair.student.last_layers():
                for parameter in layer.parameters():
                    parameter.grad = None
        most = self.config.optim.clip_grad or math.inf
        return float(torch.nn.utils.clip_grad_norm_(self.pair.student.parameters(), most))

    def _schedule(self, values: StepValues) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = values.lr
            group["weight_decay"] = values.weight_decay if group["decay"] else 0.0

    @torch.no_grad()
    def health(self) -> dict[str, float]:
        """Measure how well the teacher distinguishes the images of the last step; the same in all processes.

        Returns:
            ``teacher_entropy``: mean entropy of targets, in nats. ``information``: entropy of the mean target minus
            ``teacher_entropy``, which is the mutual information of view and prototype. ``spread``: standard deviation
            of the directions of class tokens over the batch, from 0 (all equal) to 1 (all directions).
        """
        targets = self.targets.views.flatten(0, 1)
        each = all_reduce_mean(torch.special.entr(targets).sum(dim=-1).mean())
        mean = torch.special.entr(all_reduce_mean(targets.mean(dim=0))).sum()
        directions = torch.nn.functional.normalize(self.tokens.float().flatten(0, 1), dim=-1)
        centre = all_reduce_mean(directions.mean(dim=0))
        spread = (1 - centre.square().sum()).clamp(min=0).sqrt()
        return {"teacher_entropy": float(each), "information": float(mean - each), "spread": float(spread)}

    def save(self, run: Path, step: int) -> None:
        """Write the checkpoint after `step` steps, and the teacher's backbone."""
        tensors = {f"network.{k}": v for k, v in self.pair.state_dict().items()}
        tensors |= {f"loss.{k}": v for k, v in self.objective.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer, self.pair.student)
        facts = {"version": __version__, "torch": torch.__version__, "precision": self.precision}
        save_checkpoint(run / "checkpoint", step, tensors, facts)
        save_backbone(run, self.pair.teacher.backbone, self.config.model, step=step, steps=self.config.optim.steps)

    def restore(self, run: Path) -> int:
        """Load the checkpoint of `run`; return the number of steps done.

        Raises:
            ModelError: There is no checkpoint, or it is of another network.
            InputError: The run was started with another precision, which would change the result.
        """
        step, tensors, facts = load_checkpoint(run / "checkpoint")
        before = facts.get("precision", self.precision)
        if before != self.precision:
            raise InputError(f"The run in {run} uses {before}, not {self.precision}.", f"Set run.precision={before}.")
        try:
            self.pair.load_state_dict(_under("network.", tensors))
            self.objective.load_state_dict(_under("loss.", tensors))
            restore_optimizer(self.optimizer, self.pair.student, tensors)
        except (RuntimeError, KeyError) as error:
            raise ModelError(f"The checkpoint in {run} is of another network: {error}.", "Start a new run.") from error
        return step


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
