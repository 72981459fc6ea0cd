"""Network, loss and optimiser of a fine-tuning: one step, one check on held-out chips, and its whole state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.errors import ModelError
from training.checkpoint import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.finetune_settings import FinetuneConfig
from training.labelled import CropSampler, LabelledChip
from training.landcover_data import Data
from training.metrics import Confusion
from training.schedules import cosine, linear
from training.settings import CropConfig
from training.start import Start
from training.workers import pick_device

IGNORE = -1
_PLAIN = CropConfig(flip=False, speckle=0.0, gain_common_db=0.0, gain_band_db=0.0, band_drop=0.0)


def parameter_groups(start: Start, config: FinetuneConfig) -> list[dict[str, Any]]:
    """AdamW groups with layer-wise learning rates: `scale` 1 at the head, times layer_decay for each block below.

    Norms, biases, positions and single tokens have no weight decay.
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
    """0 for the embeddings, 1 … depth for blocks, depth + 1 for what comes after."""
    if not name.startswith("backbone."):
        return depth + 1
    part = name.split(".")
    if part[1] == "blocks":
        return int(part[2]) + 1
    return depth + 1 if part[1] == "norm" else 0


def class_weights(chips: Sequence[LabelledChip], count: int, how: str) -> Tensor:
    """Weight of each class in the loss, mean 1 over pixels; float32 [count]."""
    seen = np.zeros(count)
    for chip in chips:
        seen += np.bincount(chip.target[chip.target >= 0], minlength=count)
    share = np.maximum(seen / seen.sum(), 1e-6)
    raw = share ** {"none": 0.0, "sqrt": -0.5, "inverse": -1.0}[how]
    return torch.tensor(raw / (raw * share).sum(), dtype=torch.float32)


class Finetuner:
    """Network, loss and optimiser, one step of training, and a check on held-out chips.

    Args:
        start: The network.
        data: Chips.
        config: Settings.
    """

    def __init__(self, start: Start, data: Data, config: FinetuneConfig) -> None:
        """Freeze what is to stay, and group the rest."""
        self.start, self.data, self.config = start, data, config
        self.device = pick_device(config.device)
        self.frozen = start.frozen or config.freeze_backbone
        self.model = start.model.to(self.device)
        self.model.backbone.requires_grad_(not self.frozen)
        self.optimizer = torch.optim.AdamW(parameter_groups(start, config))
        self.weights = class_weights(data.train, len(data.classes), config.class_weights).to(self.device)
        self.mixed = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.best: dict[str, Tensor] = {}
        self.best_iou, self.stale = -math.inf, 0

    def step(self, step: int, inputs: Tensor, targets: Tensor) -> float:
        """One optimiser step; returns the loss.

        Raises:
            ModelError: The loss is not finite.
        """
        config = self.config
        warmup = round(config.warmup * config.steps)
        rate = linear(0, config.lr, step + 1, warmup) if step < warmup else self._cosine(step, warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self.model.train()
        if self.frozen:
            self.model.backbone.eval()
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            logits = self.model(inputs.to(self.device))
        loss = F.cross_entropy(
            logits.float(),
            targets.to(self.device),
            weight=self.weights,
            ignore_index=IGNORE,
            label_smoothing=config.label_smoothing,
        )
        if not math.isfinite(float(loss.detach())):
            raise ModelError(f"Step {step} gave a loss of {float(loss)}.", "Lower lr; the last checkpoint is kept.")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 1.0)
        self.optimizer.step()
        return float(loss.detach())

    def _cosine(self, step: int, warmup: int) -> float:
        return cosine(self.config.lr, self.config.lr * 1e-2, step - warmup, self.config.steps - warmup)

    @torch.inference_mode()
    def check(self) -> dict[str, Any]:
        """Scores on the held-out chips, cut into crops of the training size."""
        self.model.eval()
        confusion = Confusion([item.name for item in self.data.classes])
        sampler = CropSampler(self.data.val, self.start.bands, self.config.tile, _PLAIN, self.config.seed + 1)
        for first in range(0, len(self.data.val), self.config.batch):
            count = min(self.config.batch, len(self.data.val) - first)
            inputs, targets = sampler.chips_at(range(first, first + count))
            predicted = self.model(inputs.to(self.device)).argmax(dim=1).cpu().numpy()
            confusion.add(targets.numpy(), predicted)
        return confusion.scores()

    def note(self, mean_iou: float) -> bool:
        """Keep the weights if this is the best check so far; true where training should stop."""
        if mean_iou > self.best_iou:
            self.best_iou, self.stale = mean_iou, 0
            self.best = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
        else:
            self.stale += 1
        return self.stale >= self.config.patience

    def save(self, folder: Path, step: int) -> None:
        """Write the whole state."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= optimizer_tensors(self.optimizer, self.model)
        best = None if math.isinf(self.best_iou) else self.best_iou
        save_checkpoint(folder, step, tensors, {"best_iou": best, "stale": self.stale})

    def restore(self, folder: Path) -> int:
        """Read the state back; returns the number of steps done."""
        step, tensors, scalars = load_checkpoint(folder)

        def under(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

        self.model.load_state_dict(under("model."))
        restore_optimizer(self.optimizer, self.model, tensors)
        self.best, self.stale = under("best."), int(scalars["stale"])
        self.best_iou = -math.inf if scalars["best_iou"] is None else float(scalars["best_iou"])
        return step
