"""Define the settings of a pre-training run, with their defaults, as frozen dataclasses.

Warm-ups are fractions of the run, not steps, so that a recipe keeps its shape when ``optim.steps`` is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from backend.core.errors import InputError
from training.run.common_config import AugmentConfig, ModelConfig
from training.run.conduct_config import MonitorConfig, RunConfig
from training.run.limits import (
    Amount,
    Ascending,
    Count,
    NotNegative,
    OneOf,
    Positive,
    Range,
    Share,
    check_limits,
)

# Lowest and highest share of an area.
Scale = Annotated[tuple[float, float], Range(0, 1, above=True), Ascending()]


@dataclass(frozen=True)
class CropConfig(AugmentConfig):
    """Set multi-crop geometry, in pixels, and the augmentations of every view.

    Attributes:
        window: Side of the square window of a scene from which all views of one sample are cut.
        global_size: Output side of the two global views.
        global_scale: Lowest and highest area of a global view as a fraction of the window.
        local_size: Output side of a local view.
        local_scale: Lowest and highest area of a local view as a fraction of the window.
        local_count: Number of local views.
        min_valid: Views with a smaller valid fraction are drawn again.
        rot90: Rotate by a multiple of 90 degrees; off by default, as it mixes look directions of the radar.
        pairs: Probability that the two global views show two dates where a place has several; local views then show
            one of the two.
    """

    window: Count = 128
    global_size: Count = 96
    global_scale: Scale = (0.4, 1.0)
    local_size: Count = 48
    local_scale: Scale = (0.05, 0.4)
    local_count: Amount = 6
    min_valid: Share = 0.6
    rot90: bool = False
    pairs: Share = 1.0

    def __post_init__(self) -> None:
        check_limits(self, "crops")


# Settings that work only with certain losses, and the weights of these losses, of which one must be above 0.
_WEIGHTS_OF = {
    ("ibot_shared_head",): ("ibot_weight",),
    ("mask_probability", "mask_ratio"): ("ibot_weight", "levels_weight"),
    ("levels_first", "levels_scales", "levels_tails"): ("levels_weight",),
    ("standardise",): ("dino_weight", "ibot_weight"),
}


@dataclass(frozen=True)
class DinoConfig:
    """Set head, losses and teacher (Caron et al. 2021, tables 8 to 11 and appendix).

    Attributes:
        out_dim: Number of prototypes.
        hidden_dim: Width of the head's hidden layers.
        bottleneck_dim: Width before the last layer.
        norm_last_layer: Keep the row norms of the last layer at 1 (more stable); else they are learnt.
        standardise: Subtract from tokens their moving mean and divide by their moving deviation before the head, so
            that targets tell images apart from the beginning.
        student_temp: Student temperature.
        teacher_temp: Teacher temperature after its warm-up.
        teacher_temp_start: Teacher temperature at step 0.
        teacher_temp_warmup: Fraction of the run over which it rises.
        centring: Centring of the teacher's targets: "ema" (moving centre) or "sinkhorn" (Sinkhorn-Knopp on the batch).
        centre_momentum: EMA momentum of the centre; refused with "sinkhorn", which has no moving centre.
        momentum: EMA momentum of the teacher at step 0; rises to 1 by a cosine.
        drop_path: Stochastic depth of the student's last block, rising linearly from 0 in the first.
        dino_weight: Weight of the loss over class tokens; 0 leaves it out, to see what the other losses do.
        koleo_weight: Weight of the KoLeo loss on class tokens of the global views; 0 for none, 0.1 in DINOv2.
        levels_weight: Weight of predicting at each patch, hidden ones too, the local mean and deviation of backscatter
            without the added speckle, relative to 1 for class tokens; 0 for none.
        levels_first: With `levels_weight`, fraction of the run in which levels alone are learnt, before tokens are
            compared. Class tokens of the convolutional stem are nearly alike at first, and DINO would stay at the
            uniform guess. These steps have neither local views nor the teacher's targets, so that they are faster.
        levels_scales: Sides in pixels of the squares around a patch whose mean and deviation are predicted.
        levels_tails: Also predict how far bright and dark pixels lie from the mean.
        ibot_weight: Weight of the iBOT loss at masked patches, relative to 1 for class tokens; 0 for none, 1 in iBOT.
        mask_probability: With `ibot_weight` or `levels_weight`, probability that a global view of the student is
            masked.
        mask_ratio: Lowest and highest share of patches that are hidden in a masked view.
        ibot_shared_head: Use one head for class and patch tokens (iBOT); else patch tokens have their own (DINOv2).
    """

    out_dim: Count = 65536
    hidden_dim: Count = 2048
    bottleneck_dim: Count = 256
    norm_last_layer: bool = True
    standardise: bool = False
    student_temp: Positive = 0.1
    teacher_temp: Positive = 0.04
    teacher_temp_start: Positive = 0.04
    teacher_temp_warmup: Share = 0.0
    centring: Annotated[str, OneOf("ema", "sinkhorn")] = "ema"
    centre_momentum: Share = 0.9
    momentum: Share = 0.996
    drop_path: Annotated[float, Range(0, 1, below=True)] = 0.1
    dino_weight: NotNegative = 1.0
    koleo_weight: NotNegative = 0.0
    levels_weight: NotNegative = 0.0
    levels_first: Share = 0.0
    levels_scales: tuple[int, ...] = (8, 24, 56)
    levels_tails: bool = False
    ibot_weight: NotNegative = 0.0
    mask_probability: Share = 0.5
    mask_ratio: Scale = (0.1, 0.5)
    ibot_shared_head: bool = True

    def levels_steps(self, steps: int) -> int:
        """Return in how many steps, from the first of `steps`, levels alone are learnt."""
        if not self.levels_weight:
            return 0
        others = self.dino_weight or self.ibot_weight or self.koleo_weight
        return round(self.levels_first * steps) if others else steps

    @property
    def masks(self) -> bool:
        """Return whether views of the student have a mask, which may hide nothing; iBOT's loss needs one."""
        return self.ibot_weight > 0 or (self.levels_weight > 0 and self.mask_probability > 0)

    def __post_init__(self) -> None:
        check_limits(self, "dino")
        # A setting that was left out has its default value here; config.json holds that value too.
        if self.centring == "sinkhorn" and self.centre_momentum != DinoConfig.centre_momentum:
            raise InputError(
                f"dino.centre_momentum is {self.centre_momentum}, and sinkhorn centring has no moving centre.",
                "Leave out dino.centre_momentum, or set dino.centring to ema.",
            )
        for names, weights in _WEIGHTS_OF.items():
            if any(getattr(self, weight) for weight in weights):
                continue
            needed = " or ".join(f"dino.{weight}" for weight in weights)
            for name in names:
                default = getattr(DinoConfig, name)
                if getattr(self, name) != default:
                    raise InputError(
                        f"dino.{name} is {getattr(self, name)}, and has no effect without {needed}.",
                        f"Set {needed} above 0, or dino.{name} to its default, {default}.",
                    )


@dataclass(frozen=True)
class OptimConfig:
    """Set AdamW and its schedules; warm-up and freezing are fractions of the run.

    Attributes:
        steps: Optimiser steps of the whole run.
        batch: Samples per step over all processes.
        base_lr: Peak learning rate for a batch of 256; scaled linearly with the batch.
        min_lr: Learning rate at the end; not scaled.
        warmup: Fraction of the run with linear warm-up.
        weight_decay: Weight decay at step 0; biases and norms have none.
        weight_decay_end: Weight decay at the last step, reached by a cosine.
        clip_grad: Maximum norm of the whole gradient; 0 for no clipping.
        freeze_last_layer: Fraction of the run in which the last layer of the head is not trained.
    """

    steps: Count = 100_000
    batch: Count = 256
    base_lr: NotNegative = 5e-4
    min_lr: NotNegative = 1e-6
    warmup: Share = 0.1
    weight_decay: NotNegative = 0.04
    weight_decay_end: NotNegative = 0.4
    clip_grad: NotNegative = 3.0
    freeze_last_layer: Share = 0.01

    def __post_init__(self) -> None:
        check_limits(self, "optim")


@dataclass(frozen=True)
class PretrainConfig:
    """Set up a pre-training run; with its data this determines the result.

    Attributes:
        split: Use only images of this split in folders with a splits.csv; empty for all. With "train", test regions
            stay unseen, including their unlabelled images.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    dino: DinoConfig = field(default_factory=DinoConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    run: RunConfig = field(default_factory=RunConfig)
    monitor: MonitorConfig = field(default_factory=MonitorConfig)
    split: str = ""

    def __post_init__(self) -> None:
        """Refuse settings that don't go together."""
        patch = self.model.patch
        for name in ("global_size", "local_size"):
            size = getattr(self.crops, name)
            if size % patch:
                raise InputError(f"crops.{name} is {size}.", f"Set it to a multiple of model.patch, {patch}.")
        for side in self.dino.levels_scales if self.dino.levels_weight > 0 else ():
            if side < 2 or (side - patch) % 2 or side >= 2 * self.crops.global_size:
                raise InputError(
                    f"dino.levels_scales has {side}.",
                    f"Set sides that differ from model.patch, {patch}, by an even number, below two global views.",
                )
        if self.dino.koleo_weight > 0 and self.optim.batch < 2:
            raise InputError("optim.batch is 1, and dino.koleo_weight needs neighbours.", "Set it to 2 or more.")
