"""Measure accuracy on held-out samples by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from backend.accuracy.scores import scores
from backend.card.model_card import LandCoverClass
from backend.core.arrays import FloatArray, IntArray
from backend.own_classes.folds import Folds
from backend.own_classes.trees import Trees

Grow = Callable[[IntArray], Trees]
# Keys of `backend.accuracy.scores` for each class that go into the card.
PER_CLASS = ("users_accuracy", "producers_accuracy", "f1", "iou")


def held_out_scores(
    x: FloatArray, classes: IntArray, folds: Folds, legend: Sequence[LandCoverClass], grow: Grow
) -> dict[str, Any]:
    """Grow a forest without each fold in turn, and score it on that fold.

    A class that the training set of a fold lacks (it lies only in blocks held out together) counts as missed there.

    Args:
        x: Features [n, F].
        classes: Class index of each pixel, [n].
        folds: Folds of the pixels.
        legend: Classes by index.
        grow: Function from indices into `x`, int64 [m], to a forest grown from these pixels.

    Returns:
        overall_accuracy, mean_iou and mean_f1; "classes" with scores, pixels and blocks of each class that could be
        held out, by value and name; "confusion" with pixels, [mapped][true]; and the method.
    """
    counts = np.zeros((len(legend), len(legend)), dtype=np.int64)
    for number in range(folds.count):
        held = folds.fold == number
        trees = grow(np.flatnonzero(~held))
        guess = trees.probabilities(x[held].T).argmax(axis=1)
        np.add.at(counts, (classes[held], guess), 1)
    found = scores(counts)
    per_class = {
        f"{item.value} {item.name}": {
            "pixels": row["reference"],
            "blocks": len(np.unique(folds.block[(classes == index) & (folds.fold >= 0)])),
            **{name: _rounded(row[name]) for name in PER_CLASS},
        }
        for index, (item, row) in enumerate(zip(legend, found["classes"]))
        if row["reference"]
    }
    return {
        "method": f"{folds.count}-fold over spatial blocks, without the smoothing of maps",
        "blocks": folds.blocks,
        "block_pixels": folds.side,
        **{name: _rounded(found[name]) for name in ("overall_accuracy", "mean_iou", "mean_f1")},
        "classes": per_class,
        "confusion": counts.T.tolist(),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
