"""Define the settings of a fine-tuning, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from backend.card.arch import FINETUNED_HEADS
from training.run.common_config import AugmentConfig, ModelConfig, Precision
from training.run.limits import Amount, Count, Device, NotNegative, OneOf, Positive, Range, Seed, Share, check_limits


@dataclass(frozen=True)
class CropAugmentConfig(AugmentConfig):
    """Set the augmentations of labelled crops.

    Attributes:
        smooth: Probability that backscatter is averaged over squares of 2 to 5 pixels, as in scenes that were filtered
            against speckle, averaged over dates, or resampled from larger pixels: else what is smooth is taken for
            water.
        gaps: Probability that a part of a crop has no data and is filled as in mapping, so that the edge of the data
            does not change the classes near it.
        small: Probability that a crop is cut smaller, down to 16 pixels a side, and extended by reflection, as
            rasters smaller than a tile are.
    """

    smooth: Share = 0.0
    gaps: Share = 0.0
    small: Share = 0.0

    def __post_init__(self) -> None:
        check_limits(self, "augment")


@dataclass(frozen=True)
class FinetuneConfig:
    """Set up a fine-tuning; recipes/bundled_model.toml has the settings of the bundled model.

    Attributes:
        name: Identifier of the model, as in its card.
        title: Title of the model, as in its card.
        product: "gamma0" or "sigma0".
        gsd_m: Pixel size in metres.
        licence: Licence of the weights, for the card.
        trained_on: Further lines for the card: data of the pre-training, attributions.
        limits: One line for each known weakness, for the card.
        model: Sizes and bands where the backbone names none.
        head: "detail" (tokens, sharpened by the contrast of the image), "linear" (last tokens alone), "conv" (tokens of
            several blocks) or "decoder" (tokens and a stem at full resolution); see backend/network/heads.py.
        head_dim: Channels of the head at patch resolution; "linear" has none.
        freeze_backbone: Train the head only.
        tile: Side of training crops, in pixels.
        map_tile: Side of the tiles in which the model maps, in pixels; 0 for `tile`. Tokens without positions take any
            size, and larger tiles show more of the surroundings.
        augment: SAR augmentations of the crops.
        steps: Optimiser steps.
        batch: Crops a step.
        lr: Peak learning rate of the head and, before layer decay, of the backbone.
        layer_decay: Factor on the learning rate from each block to the one before it (Clark et al. 2020, ELECTRA).
        warmup: Fraction of the steps with linear warm-up.
        weight_decay: Weight decay of AdamW, on matrices only.
        label_smoothing: Share of the target spread over all classes, as labels are noisy.
        class_weights: "none", "sqrt" (inverse square root of frequency) or "inverse".
        group_weight: Weight of the cross-entropy of groups, added to that of classes where the legend has groups.
        legend: "data" (that of the data folders) or "merged" (WorldCover's classes merged to tree cover, open land,
            built-up and water, which one image can tell apart).
        weights: Names of data folders with weights in place of those in their dataset.toml.
        leave_out: Names of chips of the split "train" that are not used, to hold one place out.
        val_every: Steps between rows of log.csv, and between checks on the split "val".
        patience: Checks without a higher mean IoU before training stops.
        seed: Seed of every random draw.
        device: "auto", "cpu", "cuda" or "mps".
        precision: Precision of the forward pass: "float32", "bfloat16", or "auto" (bfloat16 on CUDA if supported).
        workers: Processes that cut crops; 0 cuts them in a thread of the training process.
        checkpoint_every_s: Seconds between checkpoints.
    """

    name: str = "my-model"
    title: str = "My model"
    product: str = "gamma0"
    gsd_m: Positive = 10.0
    licence: str = ""
    trained_on: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    model: ModelConfig = field(default_factory=ModelConfig)
    head: Annotated[str, OneOf(*FINETUNED_HEADS)] = "decoder"
    head_dim: int = 64
    freeze_backbone: bool = False
    tile: Count = 128
    map_tile: Amount = 0
    augment: CropAugmentConfig = field(default_factory=CropAugmentConfig)
    steps: Count = 2000
    batch: Count = 16
    lr: NotNegative = 1e-3
    layer_decay: Annotated[float, Range(0, 1, above=True)] = 0.75
    warmup: Share = 0.05
    weight_decay: NotNegative = 0.05
    label_smoothing: Share = 0.05
    class_weights: Annotated[str, OneOf("none", "sqrt", "inverse")] = "sqrt"
    group_weight: NotNegative = 1.0
    legend: Annotated[str, OneOf("data", "merged")] = "data"
    weights: tuple[tuple[str, float], ...] = ()
    leave_out: tuple[str, ...] = ()
    val_every: Count = 200
    patience: Count = 5
    seed: Seed = 0
    device: Device = "auto"
    precision: Precision = "auto"
    workers: Amount = 0
    checkpoint_every_s: NotNegative = 120.0

    def __post_init__(self) -> None:
        check_limits(self)
