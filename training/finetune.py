"""Fine-tune a backbone to land cover and write a model folder that the plugin runs as it is.

    python -m training.finetune --backbone RUN|MODEL|none|random-frozen --data FOLDER [FOLDER ...] --out MODEL_DIR

A data folder has images/ and labels/; splits.csv names its "train" and "val" chips (without it all are "train", and the
last step's weights are kept). Among checks on "val" the weights with the best mean IoU are kept, and training stops
when it hasn't risen for `patience` checks. OUT.run/ beside the model folder holds the settings, the log and the
checkpoint that --resume continues from. Exit 0 done, 1 refused, 2 usage, 130 stopped (a checkpoint is written).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card import SCHEMA_VERSION, LandCoverClass, ModelCard
from backend.errors import Cancelled, InputError, ModelError, SarDinoError
from backend.weights import save_model
from training.checkpoint import STATE, load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.config import differences, load_recipe, override, resolve, resolved, write_resolved
from training.dataset import ChipFolder, read_splits
from training.journal import Progress
from training.labelled import CropSampler, LabelledChip, load_labelled
from training.metrics import Confusion
from training.schedules import cosine, linear
from training.settings import CropConfig, ModelConfig
from training.start import Start, start_from
from training.workers import pick_device, stop_on_signal

IGNORE = -1


@dataclass(frozen=True)
class FinetuneConfig:
    """Settings of fine-tuning; defaults are those of the bundled model.

    Attributes:
        name: Identifier of the model, as in its card.
        title: Title of the model, as in its card.
        product: "gamma0" or "sigma0".
        gsd_m: Pixel size in metres.
        licence: Licence of the weights, for the card.
        model: Sizes and bands, where the backbone names none.
        head: "decoder" or "linear".
        head_dim: Width of the head at patch resolution.
        freeze_backbone: Train the head only.
        tile: Side of training crops and of the model's tiles, in pixels.
        augment: SAR augmentations (crop geometry is not used).
        steps: Optimiser steps.
        batch: Crops a step.
        lr: Peak learning rate of the head and, before layer decay, of the backbone.
        layer_decay: Factor on the learning rate from each block to the one before it (Clark et al. 2020, ELECTRA).
        warmup: Fraction of the steps with linear warm-up.
        weight_decay: AdamW's, on matrices only.
        label_smoothing: Share of the target spread over all classes; labels are noisy.
        class_weights: "none", "sqrt" (inverse square root of frequency) or "inverse".
        val_every: Steps between checks on the split "val".
        patience: Checks without a better mean IoU before training stops.
        seed: Start of every draw.
        device: "auto", "cpu", "cuda" or "mps".
        checkpoint_every_s: Seconds between checkpoints.
    """

    name: str = "my-model"
    title: str = "My model"
    product: str = "gamma0"
    gsd_m: float = 10.0
    licence: str = ""
    model: ModelConfig = field(default_factory=ModelConfig)
    head: str = "decoder"
    head_dim: int = 64
    freeze_backbone: bool = False
    tile: int = 128
    augment: CropConfig = field(default_factory=CropConfig)
    steps: int = 2000
    batch: int = 16
    lr: float = 1e-3
    layer_decay: float = 0.75
    warmup: float = 0.05
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    class_weights: str = "sqrt"
    val_every: int = 200
    patience: int = 5
    seed: int = 0
    device: str = "auto"
    checkpoint_every_s: float = 120.0

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        if self.class_weights not in ("none", "sqrt", "inverse"):
            raise InputError(f"class_weights is {self.class_weights!r}.", "Wanted: none, sqrt or inverse.")
        if self.augment.rot90:
            raise InputError("augment.rot90 would turn images and not labels.", "Leave it off for fine-tuning.")
        if min(self.steps, self.batch, self.val_every, self.patience) < 1 or not 0 < self.layer_decay <= 1:
            raise InputError("steps, batch, val_every and patience start at 1; layer_decay lies in (0, 1].", "Mend it.")


@dataclass(frozen=True)
class Data:
    """What is learnt from: chips by split, and the legend."""

    train: list[LabelledChip]
    val: list[LabelledChip]
    classes: tuple[LandCoverClass, ...]
    sources: tuple[str, ...]


def load_data(folders: Sequence[Path], config: FinetuneConfig, start_bands: Any) -> Data:
    """Read every labelled chip.

    Args:
        folders: Data folders, all with the same legend or a part of it.
        config: Settings.
        start_bands: The bands of the model.

    Raises:
        InputError: No labels, no legend, or legends that contradict each other.
    """
    opened = [ChipFolder(folder, start_bands) for folder in folders]
    legend = merge_legends(opened)
    values = [item.value for item in legend]
    train, val = [], []
    for folder in opened:
        if (folder.root / "splits.csv").is_file():
            splits = {row["split"] for row in read_splits(folder.root)}
            train.append(ChipFolder(folder.root, start_bands, "train"))
            val += [ChipFolder(folder.root, start_bands, "val")] if "val" in splits else []
        else:
            train.append(folder)
    chips = load_labelled(train, values)
    seen = np.zeros(len(values), dtype=np.int64)
    for chip in chips:
        seen += np.bincount(chip.target[chip.target >= 0], minlength=len(values))
    kept = [item for item, count in zip(legend, seen) if count]
    if len(kept) < len(legend):
        # A class that no pixel shows can't be learnt, and a logit for it would only take from the others.
        chips = load_labelled(train, [item.value for item in kept])
    held = load_labelled(val, [item.value for item in kept]) if val else []
    titles = tuple(folder.facts.title or folder.root.name for folder in opened)
    return Data(chips, held, tuple(kept), titles)


def merge_legends(folders: Sequence[ChipFolder]) -> tuple[LandCoverClass, ...]:
    """One legend out of those of the folders, in order of value.

    Raises:
        InputError: No folder has one, or a value has two names.
    """
    found: dict[int, LandCoverClass] = {}
    for folder in folders:
        for item in folder.facts.classes:
            if found.setdefault(item.value, item).name != item.name:
                raise InputError(
                    f"Value {item.value} is {found[item.value].name!r} in one folder and {item.name!r} in {folder.root}.",
                    "Give the folders one legend.",
                )
    if not found:
        raise InputError("No data folder has a legend.", "Add [[classes]] with value, name, color to dataset.toml.")
    return tuple(found[value] for value in sorted(found))


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
        loss.backward()
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


_PLAIN = CropConfig(flip=False, speckle=0.0, gain_common_db=0.0, gain_band_db=0.0, band_drop=0.0)


def finetune(backbone: str, folders: Sequence[Path], out: Path, config: FinetuneConfig, resume: bool) -> ModelCard:
    """Carry a fine-tuning to its end and write the model folder.

    Raises:
        InputError: Data or arguments can't be used.
        ModelError: The backbone can't be used, or the loss is not finite.
        Cancelled: SIGINT or SIGTERM; a checkpoint was written.
    """
    run = out.with_name(f"{out.name}.run")
    facts = {"backbone": backbone, "data": [str(folder) for folder in folders]}
    _claim(run, config, facts, resume)
    torch.manual_seed(config.seed)
    bands = start_from(backbone, config.model, config.head, config.head_dim, config.tile, 1).bands
    data = load_data(folders, config, bands)
    torch.manual_seed(config.seed)
    start = start_from(backbone, config.model, config.head, config.head_dim, config.tile, len(data.classes))
    tuner = Finetuner(start, data, config)
    first = tuner.restore(run / "checkpoint") if resume else 0
    write_resolved(run / "config.json", config, **facts)
    _loop(tuner, first, run)
    if tuner.best:
        tuner.model.load_state_dict(tuner.best)
    return save_model(out, tuner.model, _card(tuner))


def _claim(run: Path, config: FinetuneConfig, facts: dict[str, Any], resume: bool) -> None:
    if not resume:
        if (run / "checkpoint" / STATE).exists():
            raise InputError(f"{run} holds a run already.", "Add --resume to continue it, or choose another --out.")
        run.mkdir(parents=True, exist_ok=True)
        return
    try:
        old = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"No run to resume in {run} ({error}).", "Leave out --resume to start one.") from error
    changed = differences(
        {"config": old.get("config"), **{key: old.get(key) for key in facts}}, {"config": resolved(config), **facts}
    )
    if changed:
        raise InputError(f"{run} was started with other settings: {', '.join(changed)}.", "Resume it as it was.")


def _loop(tuner: Finetuner, first: int, run: Path) -> None:
    config = tuner.config
    sampler = CropSampler(tuner.data.train, tuner.start.bands, config.tile, config.augment, config.seed)
    progress = Progress(first, config.steps, config.batch)
    saved = time.monotonic()
    with stop_on_signal() as stop, ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(sampler.batch, first, config.batch)
        for step in range(first, config.steps):
            inputs, targets = waiting.result()
            waiting = ahead.submit(sampler.batch, step + 1, config.batch)
            progress.show(step + 1, tuner.step(step, inputs, targets))
            last = step + 1 == config.steps
            if tuner.data.val and ((step + 1) % config.val_every == 0 or last):
                scores = tuner.check()
                finished = tuner.note(scores["mean_iou"])
                _log(run / "log.csv", step + 1, scores)
                progress.say(f"step {step + 1}  val mIoU {scores['mean_iou']:.3f}  OA {scores['overall_accuracy']:.3f}")
                if finished:
                    progress.say(f"Stopped: no better mean IoU in {config.patience} checks.")
                    tuner.save(run / "checkpoint", config.steps)
                    return
            if last or stop.asked or time.monotonic() - saved >= config.checkpoint_every_s:
                tuner.save(run / "checkpoint", step + 1)
                saved = time.monotonic()
            if stop.asked and not last:
                raise Cancelled(f"Stopped after step {step + 1} of {config.steps}.", "Continue with --resume.")


def _log(path: Path, step: int, scores: dict[str, Any]) -> None:
    new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(("step", "mean_iou", "overall_accuracy"))
        writer.writerow((step, f"{scores['mean_iou']:.4f}", f"{scores['overall_accuracy']:.4f}"))


def _card(tuner: Finetuner) -> ModelCard:
    start, config = tuner.start, tuner.config
    metrics = {"validation": {"mean_iou": round(tuner.best_iou, 4)}} if tuner.best else {}
    return ModelCard(
        schema_version=SCHEMA_VERSION,
        name=config.name,
        title=config.title,
        bands=start.bands,
        product=config.product,
        gsd_m=config.gsd_m,
        arch=start.arch,
        tile=config.tile,
        patch=start.model.patch,
        classes=tuner.data.classes,
        trained_on=(f"Backbone: {start.origin}", *(f"Labels: {source}" for source in tuner.data.sources)),
        metrics=metrics,
        licence=config.licence,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.finetune", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", required=True, help="a pre-training run, a model, none, or random-frozen")
    parser.add_argument("--data", required=True, nargs="+", type=Path, help="data folders with images/ and labels/")
    parser.add_argument("--out", required=True, type=Path, help="model folder to write")
    parser.add_argument("--recipe", help="a name in training/recipes, or a .toml file")
    parser.add_argument("--resume", action="store_true", help="continue the run beside --out")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    args = parser.parse_args(arguments)
    try:
        config = resolve(FinetuneConfig, override(load_recipe(args.recipe) if args.recipe else {}, args.set))
        card = finetune(args.backbone, args.data, args.out, config, args.resume)
    except Cancelled as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 130
    except SarDinoError as error:
        print(f"error: {error.message} {error.hint}", file=sys.stderr)
        return 1
    print(f"{args.out}: {card.title}, {len(card.classes)} classes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
