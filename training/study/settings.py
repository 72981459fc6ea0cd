"""The settings of a study, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.core.errors import InputError
from training.run.finetune_config import FinetuneConfig

PARTS = ("curve", "probes", "heads", "clusters", "position", "inputs")


@dataclass(frozen=True)
class CurveConfig:
    """Pre-training against scratch over shares of the labels.

    Attributes:
        fractions: Shares of the labelled training chips, above 0 up to 1; those of a seed are nested.
        seeds: Of the choice of chips, of random weights and of every draw; each gives one run.
        longer: The two networks trained as a whole are trained once more on all labels for so many times the steps,
            with the first seed: a score that still rises was not at its limit. 0 leaves that out.
    """

    fractions: tuple[float, ...] = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    longer: float = 3.0


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

    tiles: int = 400
    train_patches: int = 4000
    test_patches: int = 10000
    neighbours: int = 20
    trees: int = 200
    seeds: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True)
class ForestConfig:
    """The random forest on backscatter, pixel by pixel.

    Attributes:
        pixels: Labelled pixels it learns from in each chip.
        trees: How many.
        leaf: Fewest pixels of a leaf.
    """

    pixels: int = 500
    trees: int = 80
    leaf: int = 20


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

    parts: tuple[str, ...] = PARTS
    tile: int = 128
    train_chips: int = 0
    test_chips: int = 0
    every: int = 3
    pictures: int = 4
    jobs: int = 2
    curve: CurveConfig = field(default_factory=CurveConfig)
    patch: PatchConfig = field(default_factory=PatchConfig)
    forest: ForestConfig = field(default_factory=ForestConfig)
    finetune: FinetuneConfig = field(default_factory=lambda: FinetuneConfig(head="linear", class_weights="none"))

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            raise InputError(f"parts has {unknown or 'nothing'}.", f"Name some of {', '.join(PARTS)}.")
        if not self.curve.fractions or not all(0 < share <= 1 for share in self.curve.fractions):
            raise InputError(f"curve.fractions is {list(self.curve.fractions)}.", "Give shares above 0 up to 1.")
        for name, seeds in (("curve", self.curve.seeds), ("patch", self.patch.seeds)):
            if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
                raise InputError(f"{name}.seeds is {list(seeds)}.", "Give different whole numbers of 0 or more.")
        counts = {
            "tile": self.tile, "every": self.every, "patch.tiles": self.patch.tiles, "jobs": self.jobs,
            "patch.train_patches": self.patch.train_patches, "patch.test_patches": self.patch.test_patches,
            "patch.neighbours": self.patch.neighbours, "patch.trees": self.patch.trees,
            "forest.pixels": self.forest.pixels, "forest.trees": self.forest.trees, "forest.leaf": self.forest.leaf,
        }  # fmt: skip
        for name, value in counts.items():
            if value < 1:
                raise InputError(f"{name} is {value}.", "Give 1 or more.")
        for name in ("train_chips", "test_chips", "pictures"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}.", "Give 0 or more.")
        if self.curve.longer < 0:
            raise InputError(f"curve.longer is {self.curve.longer}.", "Give a factor on the steps, or 0 for none.")
