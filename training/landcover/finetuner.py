"""Train a land-cover network in steps, check it on held-out chips, and save its state."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backend.accuracy.scores import Confusion
from backend.core.errors import InputError, ModelError
from backend.engines.precision import autocast, settle_precision
from backend.engines.pytorch import choose_device
from backend.stream.decision import by_groups, decision, group_indices
from training.landcover.chips import IGNORE, CropSampler
from training.landcover.data import LabelledData
from training.landcover.initial_network import InitialNetwork
from training.landcover.loss import LandCoverLoss, count_pixels
from training.run.checkpoint import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.run.finetune_config import CropAugmentConfig, FinetuneConfig
from training.run.schedules import cosine, linear

_PLAIN = CropAugmentConfig(flip=False, speckle=0.0, gain_common_db=0.0, gain_band_db=0.0, band_drop=0.0)


def parameter_groups(start: InitialNetwork, config: FinetuneConfig) -> list[dict[str, Any]]:
    """Return AdamW groups with layer-wise learning rates: `scale` is 1 at the head, times layer_decay per block below.

    Norms, biases, positional embeddings and prefix tokens have no weight decay.
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    depth = start.arch.depth
    for name, parameter in start.model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = parameter.ndim > 1 and not name.endswith(("pos_embed", "cls_token", "reg_token"))
        groups.setdefault((config.layer_decay ** (depth + 1 - _layer(name, depth)), decay), []).append(parameter)
    return [
        {"params": params, "scale": scale, "lr": config.lr, "weight_decay": config.weight_decay if decay else 0.0}
        for (scale, decay), params in groups.items()
    ]


def _layer(name: str, depth: int) -> int:
    """Return 0 for embeddings, 1 to depth for blocks, and depth + 1 for all later layers."""
    if not name.startswith("backbone."):
        return depth + 1
    part = name.split(".")
    if part[1] == "blocks":
        return int(part[2]) + 1
    return depth + 1 if part[1] == "norm" else 0


class Finetuner:
    """Hold network, loss and optimiser of a fine-tuning.

    Args:
        start: The network.
        data: Chips.
        config: Settings.

    Raises:
        ResourceError: The device is missing or doesn't support the precision.
    """

    def __init__(self, start: InitialNetwork, data: LabelledData, config: FinetuneConfig) -> None:
        self.start, self.data, self.config = start, data, config
        self.device = choose_device(config.device)
        self.precision = settle_precision(config.precision, self.device)
        self.frozen = start.frozen or config.freeze_backbone
        self.model = start.model.to(self.device)
        self.model.backbone.requires_grad_(not self.frozen)
        self.optimizer = torch.optim.AdamW(parameter_groups(start, config))
        counts = count_pixels(data.train, len(data.classes))
        loss = LandCoverLoss(data.classes, counts, config.class_weights, config.label_smoothing, config.group_weight)
        self.loss = loss.to(self.device)
        self.best: dict[str, Tensor] = {}
        self.best_iou, self.stale = -math.inf, 0
        self.loss_sum, self.loss_count = 0.0, 0

    def rate(self, step: int) -> float:
        """Return the learning rate of the head in a step: a linear warm-up, then a cosine to 1 % of the peak."""
        config = self.config
        warmup = round(config.warmup * config.steps)
        if step < warmup:
            return linear(0, config.lr, step + 1, warmup)
        return cosine(config.lr, config.lr * 1e-2, step - warmup, config.steps - warmup)

    def logits(self, inputs: Tensor) -> Tensor:
        """Compute logits in training mode, float32; a frozen backbone records no gradients."""
        self.model.train()
        # In evaluation mode a frozen backbone has no dropout and doesn't update running statistics.
        self.model.backbone.train(not self.frozen)
        inputs = inputs.to(self.device)
        with autocast(self.precision, self.device):
            with torch.set_grad_enabled(not self.frozen):
                tokens = self.model.features(inputs)
            answer: Tensor = self.model.head(inputs, tokens)
        return answer.float()

    def step(self, step: int, inputs: Tensor, targets: Tensor) -> float:
        """Take one optimiser step.

        Args:
            step: Number of the step, from 0.
            inputs: float32 [N, B, H, W].
            targets: int64 [N, H, W], IGNORE where unlabelled.

        Returns:
            The loss; 0 for a batch without labels, which changes nothing.

        Raises:
            ModelError: The loss or the gradient is not finite; this step has changed no weight.
        """
        if not bool((targets != IGNORE).any()):
            return 0.0
        rate = self.rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        loss = self.loss(self.logits(inputs), targets.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 1.0)
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise ModelError(
                f"Step {step} gave a loss of {value} and a gradient norm of {float(norm)}.",
                "The last checkpoint is kept. Lower lr, and start again.",
            )
        self.optimizer.step()
        self.loss_sum, self.loss_count = self.loss_sum + value, self.loss_count + 1
        return value

    def take_loss(self) -> float:
        """Return the mean loss of the steps since the last call; nan if there was none."""
        mean = self.loss_sum / self.loss_count if self.loss_count else math.nan
        self.loss_sum, self.loss_count = 0.0, 0
        return mean

    @torch.inference_mode()
    def check(self) -> dict[str, Any]:
        """Score the held-out chips, in crops of the training size and in float32, as the model will be used.

        Raises:
            InputError: No crop has a label.
        """
        self.model.eval()
        classes = self.data.classes
        confusion, decide = Confusion([item.name for item in classes]), decision(classes)
        sampler = CropSampler(self.data.val, self.start.bands, self.config.tile, _PLAIN, self.config.seed + 1)
        for first in range(0, len(self.data.val), self.config.batch):
            count = min(self.config.batch, len(self.data.val) - first)
            inputs, targets = sampler.chips_at(range(first, first + count))
            chances = self.model(inputs.to(self.device)).softmax(dim=1).cpu().numpy()
            confusion.add(targets.clamp(min=IGNORE).numpy(), decide(chances.swapaxes(0, 1)))
        scores = confusion.scores()
        if not scores["pixels"]:
            raise InputError('No crop of the split "val" has a label.', "Add labels to the split, or leave it out.")
        scores["group_iou"] = scores["mean_iou"]
        if by_groups(classes):  # with a single group the score would always be 1
            groups = [str(number) for number in group_indices(classes)]
            scores["group_iou"] = confusion.merged(groups).scores()["mean_iou"]
        return scores

    def note(self, mean_iou: float) -> bool:
        """Keep the weights if this is the best check so far; return whether training should stop."""
        if mean_iou > self.best_iou:
            self.best_iou, self.stale = mean_iou, 0
            self.best = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
        else:
            self.stale += 1
        return self.stale >= self.config.patience

    def save(self, folder: Path, step: int) -> None:
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= optimizer_tensors(self.optimizer, self.model)
        best = None if math.isinf(self.best_iou) else self.best_iou
        losses = {"loss_sum": self.loss_sum, "loss_count": self.loss_count}
        save_checkpoint(folder, step, tensors, {"best_iou": best, "stale": self.stale, **losses})

    def restore(self, folder: Path) -> int:
        """Load the state; return the number of steps done.

        Raises:
            ModelError: There is no checkpoint, or it is of another network.
        """
        step, tensors, scalars = load_checkpoint(folder)

        def under(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

        try:
            self.model.load_state_dict(under("model."))
            restore_optimizer(self.optimizer, self.model, tensors)
        except (RuntimeError, KeyError) as error:
            raise ModelError(
                f"The checkpoint in {folder} is of another network.",
                "Use the earlier backbone and data, or start again in another folder.",
            ) from error
        self.best, self.stale = under("best."), int(scalars["stale"])
        self.best_iou = -math.inf if scalars["best_iou"] is None else float(scalars["best_iou"])
        self.loss_sum, self.loss_count = float(scalars["loss_sum"]), int(scalars["loss_count"])
        return step
