"""The settings of a pre-training run, with their defaults, as frozen dataclasses.

Lengths of warm-ups are fractions of the run, not steps: a recipe keeps its shape when ``optim.steps`` is set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from backend.core.errors import InputError
from training.run.common_config import AugmentConfig, ModelConfig, Precision
from training.run.limits import (
    Amount,
    Ascending,
    Count,
    Device,
    NotNegative,
    OneOf,
    Positive,
    Range,
    Seed,
    Share,
    check_limits,
)

# Lowest and highest share of an area.
Scale = Annotated[tuple[float, float], Range(0, 1, above=True), Ascending()]


@dataclass(frozen=True)
class CropConfig(AugmentConfig):
    """Multi-crop geometry, sizes in pixels, and the augmentations of every view.

    Attributes:
        window: side of the square of a scene that all views of one sample are cut from.
        global_size: output side of the two global views.
        global_scale: area of a global view as a fraction of the window, lowest and highest.
        local_size: output side of a local view.
        local_scale: area of a local view as a fraction of the window.
        local_count: number of local views.
        min_valid: a view with a smaller valid fraction is drawn again.
        rot90: rotate by a multiple of 90 degrees; off, as it mixes the look direction of the radar.
        pairs: probability that the two global views show two dates, where the data has several of a place; local
            views then show either.
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


@dataclass(frozen=True)
class DinoConfig:
    """Head, loss and teacher (Caron et al. 2021, table 8 to 11 and appendix).

    Attributes:
        out_dim: number of prototypes.
        hidden_dim: width of the head's hidden layers.
        bottleneck_dim: width before the last layer.
        norm_last_layer: keep the last layer's row norms at one (steadier), else learn them.
        student_temp: student temperature.
        teacher_temp: teacher temperature after its warm-up.
        teacher_temp_start: teacher temperature at step 0.
        teacher_temp_warmup: fraction of the run over which it rises.
        centring: of the teacher's targets: "ema" (moving centre) or "sinkhorn" (Sinkhorn-Knopp on the batch).
        centre_momentum: EMA momentum of the centre; refused with "sinkhorn", which has none.
        momentum: EMA momentum of the teacher at step 0; it goes to 1 by a cosine.
        drop_path: stochastic depth of the student's last block, rising linearly from 0 in the first.
        koleo_weight: of KoLeo, which spreads the class tokens of the two global views; 0 for none, DINOv2 has 0.1.
        ibot_weight: of iBOT's loss at masked patches, beside 1 for the class tokens; 0 for none, iBOT has 1.
        ibot_mask_probability: of a global view of the student to be masked at all.
        ibot_mask_ratio: share of the patches of a masked view that is hidden, lowest and highest.
        ibot_shared_head: patch tokens go through the head of the class tokens (iBOT), else one of their own (DINOv2).
    """

    out_dim: Count = 65536
    hidden_dim: Count = 2048
    bottleneck_dim: Count = 256
    norm_last_layer: bool = True
    student_temp: Positive = 0.1
    teacher_temp: Positive = 0.04
    teacher_temp_start: Positive = 0.04
    teacher_temp_warmup: Share = 0.0
    centring: Annotated[str, OneOf("ema", "sinkhorn")] = "ema"
    centre_momentum: Share = 0.9
    momentum: Share = 0.996
    drop_path: Annotated[float, Range(0, 1, below=True)] = 0.1
    koleo_weight: NotNegative = 0.0
    ibot_weight: NotNegative = 0.0
    ibot_mask_probability: Share = 0.5
    ibot_mask_ratio: Scale = (0.1, 0.5)
    ibot_shared_head: bool = True

    def __post_init__(self) -> None:
        check_limits(self, "dino")
        # The value of a setting that was left out is its default; config.json holds it for every run.
        if self.centring == "sinkhorn" and self.centre_momentum != DinoConfig.centre_momentum:
            raise InputError(
                f"dino.centre_momentum is {self.centre_momentum}, and sinkhorn has no centre that moves.",
                "Leave out dino.centre_momentum, or set dino.centring to ema.",
            )


@dataclass(frozen=True)
class OptimConfig:
    """AdamW and its schedules; warm-up and freezing are fractions of the run.

    Attributes:
        steps: optimiser steps of the whole run.
        batch: samples a step over all processes.
        base_lr: peak learning rate for a batch of 256; scaled linearly with the batch.
        min_lr: learning rate at the end, not scaled.
        warmup: fraction of the run with linear warm-up.
        weight_decay: at step 0; biases and norms have none.
        weight_decay_end: at the last step, by a cosine.
        clip_grad: largest norm of the whole gradient; 0 for no clipping.
        freeze_last_layer: fraction of the run in which the head's last layer stays as initialised.
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
class RunConfig:
    """How a run is carried out; a resumed run may change all but the seed and what the precision comes to.

    Attributes:
        seed: start of every random draw.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "float32", "bfloat16", or "auto" (bfloat16 on CUDA with the instructions, else float32).
        workers: processes that cut crops beside the training; 0 cuts them in the training process.
        memory_gb: images are kept in memory as float16 up to this size in each process, others are read when drawn.
        log_every: steps between rows of log.csv.
        checkpoint_every_s: seconds between checkpoints.
    """

    seed: Seed = 0
    device: Device = "auto"
    precision: Precision = "auto"
    workers: Amount = 0
    memory_gb: NotNegative = 4.0
    log_every: Count = 10
    checkpoint_every_s: NotNegative = 300.0

    def __post_init__(self) -> None:
        check_limits(self, "run")


@dataclass(frozen=True)
class MonitorConfig:
    """What a running pre-training shows; nothing here changes what is learnt, so a resumed run may change it all.

    Attributes:
        every: steps between two looks at the teacher; 0 for ten looks a run.
        probe: labelled data folder for the k-NN score of the tokens; empty for none.
        probe_tokens: most tokens of either split of that folder.
        pictures: number of scenes drawn with attention and principal components; 0 for none.
        tensorboard: write everything to RUN/tensorboard too.
    """

    every: Amount = 0
    probe: str = ""
    # More would hold up the other processes of a distributed run for longer than they wait.
    probe_tokens: Annotated[int, Range(100, 100_000)] = 4000
    pictures: Annotated[int, Range(0, 32)] = 4
    tensorboard: bool = True

    def __post_init__(self) -> None:
        check_limits(self, "monitor")


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides a pre-training run but its data.

    Attributes:
        split: only images of this split, in folders that have a splits.csv; empty for all. With "train" the regions
            that a later test is made on stay unseen, unlabelled images of theirs too.
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
        if self.dino.koleo_weight > 0 and self.optim.batch < 2:
            raise InputError("optim.batch is 1, and dino.koleo_weight needs neighbours.", "Set it to 2 or more.")
