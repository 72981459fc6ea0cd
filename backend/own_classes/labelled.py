"""Select and label the pixels that classes are learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

import numpy as np
from affine import Affine

from backend.card.model_card import LandCoverClass
from backend.core.arrays import BoolArray, FloatArray, IntArray
from backend.core.events import Reporter
from backend.core.words import counted
from backend.maps.pca import Components
from backend.own_classes.features import FeatureTable
from backend.own_classes.forest import TrainingData, grow
from backend.own_classes.legend import Styles, build_legend
from backend.own_classes.pixels import SamplePixels, without_overlaps
from backend.own_classes.samples import Label, Sample
from backend.own_classes.trees import Trees

# Fewer samples of a class give a warning; `benchmarks.quality.own_classes` measures accuracy by sample count.
FEW = 10


@dataclass(frozen=True)
class LabelledPixels:
    """Hold pixels with class and features.

    Attributes:
        legend: Classes by index.
        pixels: Pixels of samples, [n].
        classes: Class index of each pixel, int64 [n].
        x: Features, float32 [n, F].
        components: Principal components that the first features are.
    """

    legend: tuple[LandCoverClass, ...]
    pixels: SamplePixels
    classes: IntArray
    x: FloatArray
    components: Components

    def forest(self, which: IntArray, portion_done: Callable[[], None]) -> Trees:
        """Grow a forest from some of the pixels; every sample has equal weight, however many pixels it has."""
        sample = self.pixels.sample[which]
        weights = 1 / np.bincount(sample)[sample]
        data = TrainingData(
            self.x[which], self.classes[which], weights / weights.mean(), len(self.legend),
            len(self.components.deviations),
        )  # fmt: skip
        return grow(data, portion_done)


def usable(
    samples: Sequence[Sample], pixels: SamplePixels, valid: BoolArray, grid: tuple[Affine, int, int]
) -> tuple[IntArray, int]:
    """Choose the valid pixels that samples of only one class cover.

    Args:
        samples: All samples.
        pixels: Their pixels.
        valid: Whether the raster has data at each pixel, [n].
        grid: Transform from (column, row) to coordinates, number of rows, number of columns.

    Returns:
        Indices into `pixels`, and the number of pixels that samples of two classes cover.
    """
    there = np.flatnonzero(valid)
    kept, contested = without_overlaps(samples, pixels.take(there), *grid)
    return there[kept], contested


def label_pixels(
    samples: Sequence[Sample],
    table: FeatureTable,
    used: SamplePixels,
    styles: Styles,
    reporter: Reporter,
) -> LabelledPixels:
    """Assign classes and features to the chosen pixels, and report the classes.

    Args:
        samples: All samples.
        table: Features of the pixels to learn from.
        used: These pixels.
        styles: Names and colours of classes.
        reporter: Receives the classes, and warnings.
    """
    labels = [item.label for item in samples]
    seen: list[Label] = [labels[number] for number in np.unique(used.sample)]
    lost = [str(label) for label in dict.fromkeys(labels) if label not in set(seen)]
    if lost and len(set(seen)) > 1:
        reporter.log(
            "warning", f"Classes without a usable sample, which are not in the model: {', '.join(lost)[:200]}."
        )
    legend, index = build_legend(seen, styles)
    classes = np.array([index.get(label, -1) for label in labels], dtype=np.int64)[used.sample]
    counts = Counter(seen)
    for label, number in index.items():
        item, total = legend[number], int((classes == number).sum())
        reporter.log(
            "info", f"{item.value:>4}  {item.name}: {counted(counts[label], 'sample')}, {counted(total, 'pixel')}"
        )
    few = [f"{legend[number].name} ({counts[label]})" for label, number in index.items() if counts[label] < FEW]
    if few:
        reporter.log(
            "warning", f"Few samples of {', '.join(few)[:200]}: draw {FEW} or more of each, in several places."
        )
    return LabelledPixels(legend, used, classes, table.features(np.arange(len(used))), table.components)
