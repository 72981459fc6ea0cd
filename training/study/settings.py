"""The settings of a study, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from training.run.finetune_config import FinetuneConfig
from training.run.limits import Amount, Count, NotNegative, OneOf, Range, Some, check_limits

PARTS = ("curve", "probes", "heads", "clusters", "position", "inputs")
Seeds = Annotated[tuple[int, ...], Range(0), Some()]


@dataclass(frozen=True)
class CurveConfig:
    """Pre-training against scratch over shares of the labels.

    Attributes:
        fractions: Shares of the labelled training chips, above 0 up to 1; those of a seed are nested.
        seeds: Of the choice of chips, of random weights and of every draw; each gives one run.
        longer: The two networks trained as a whole are trained once more on all labels for so many times the steps,
            with the first seed: a score that still rises was not at its limit. 0 leaves that out.
    """

    fractions: Annotated[tuple[float, ...], Range(0, 1, above=True), Some()] = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
    seeds: Seeds = (0, 1, 2)
    longer: NotNegative = 3.0

    def __post_init__(self) -> None:
        check_limits(self, "curve")


@dataclass(frozen=True)
class PatchConfig:
    """Attention against tokens on the patch grid.

    Attributes:
        tiles: Most tiles of either split whose patches are looked at, spread evenly over the chips.
        train_patches: Labelled patches that a probe learns from, drawn anew for each seed.
        test_patches: Labelled patches that it is tested on, drawn once for all.
        neighbours: Of the k-NN probe.
        trees: Of the random forest.
        seeds: One run of each probe for each.
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
    """The random forest on backscatter, pixel by pixel.

    Attributes:
        pixels: Labelled pixels it learns from in each chip.
        trees: How many.
        leaf: Fewest pixels of a leaf.
    """

    pixels: Count = 500
    trees: Count = 80
    leaf: Count = 20

    def __post_init__(self) -> None:
        check_limits(self, "forest")


@dataclass(frozen=True)
class StudyConfig:
    """Everything that decides a study but its model and data.

    Attributes:
        parts: Which of PARTS are done.
        tile: Side in pixels of the tiles whose patches are looked at.
        train_chips: Most labelled training chips, spread evenly over their names; 0 for all.
        test_chips: Most test chips, likewise.
        every: Maps are scored at every so many pixels along rows and columns; neighbours say the same.
        pictures: Test chips that the report shows.
        jobs: Processes of the random forests; does not change results.
        curve: See there.
        patch: See there.
        forest: See there.
        finetune: How every network is trained, and, by its `tile`, what it sees at once; its head is the same for
            all, `freeze_backbone` and `seed` are set by the study.
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
