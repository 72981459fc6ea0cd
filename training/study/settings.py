"""Define the settings of a study, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from training.run.finetune_config import FinetuneConfig
from training.run.limits import Amount, Count, NotNegative, OneOf, Range, Some, check_limits

PARTS = ("curve", "probes", "heads", "clusters", "position", "inputs")
Seeds = Annotated[tuple[int, ...], Range(0), Some()]


@dataclass(frozen=True)
class CurveConfig:
    """Set the comparison of pre-training and scratch over shares of the labels.

    Attributes:
        fractions: Shares of the labelled training chips; smaller shares of a seed are part of larger ones.
        seeds: Seeds of the choice of chips, random weights and draws; one run each.
        longer: Factor on the steps of a further run on all labels, with the first seed, of the two networks that are
            trained as a whole; it shows whether scores still rise. 0 leaves it out.
    """

    fractions: Annotated[tuple[float, ...], Range(0, 1, above=True), Some()] = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
    seeds: Seeds = (0, 1, 2)
    longer: NotNegative = 3.0

    def __post_init__(self) -> None:
        check_limits(self, "curve")


@dataclass(frozen=True)
class PatchConfig:
    """Set the comparison of attention and tokens on the patch grid.

    Attributes:
        tiles: Maximum number of tiles of each split, spread evenly over the chips.
        train_patches: Labelled patches that a probe is trained on, drawn for each seed.
        test_patches: Labelled patches that it is tested on, drawn once.
        neighbours: Neighbours of the k-NN probe.
        trees: Trees of the random forest.
        seeds: Seeds; one run of each probe per seed.
    """

    tiles: Count = 400
    train_patches: Count = 4000
    test_patches: Count = 10000
    neighbours: Count = 20
    trees: Count = 200
    seeds: Seeds = (0, 1, 2)

    def __post_init__(self) -> None:
        check_limits(self, "patch")


@dataclass(frozen=True)
class ForestConfig:
    """Set the random forest on the backscatter of pixels.

    Attributes:
        pixels: Labelled training pixels per chip.
        trees: Number of trees.
        leaf: Minimum number of pixels in a leaf.
    """

    pixels: Count = 500
    trees: Count = 80
    leaf: Count = 20

    def __post_init__(self) -> None:
        check_limits(self, "forest")


@dataclass(frozen=True)
class StudyConfig:
    """Set up a study; with its model and data this determines the result.

    Attributes:
        parts: Some of PARTS.
        tile: Side in pixels of the tiles whose patches are described.
        train_chips: Maximum number of labelled training chips, spread evenly over their names; 0 for all.
        test_chips: Maximum number of test chips, chosen likewise; 0 for all.
        every: Maps are scored at every n-th row and column, as neighbouring pixels are alike.
        pictures: Number of test tiles in the report.
        jobs: Processes of the random forests; does not change results.
        curve: See CurveConfig.
        patch: See PatchConfig.
        forest: See ForestConfig.
        finetune: Training of every network; the study sets `freeze_backbone` and `seed`.
    """

    parts: Annotated[tuple[str, ...], OneOf(*PARTS), Some()] = PARTS
    tile: Count = 128
    train_chips: Amount = 0
    test_chips: Amount = 0
    every: Count = 3
    pictures: Amount = 4
    jobs: Count = 2
    curve: CurveConfig = field(default_factory=CurveConfig)
    patch: PatchConfig = field(default_factory=PatchConfig)
    forest: ForestConfig = field(default_factory=ForestConfig)
    finetune: FinetuneConfig = field(default_factory=lambda: FinetuneConfig(head="linear", class_weights="none"))

    def __post_init__(self) -> None:
        check_limits(self)
