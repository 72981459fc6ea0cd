"""Score a class map by its confusion matrix: rows are the reference (labels), columns the map (predictions).

User's accuracy is also called precision, producer's accuracy recall (Congalton 1991, Remote Sensing of Environment 37,
35-46). Means are over the classes that the reference holds; a class that is only on the map lowers the scores of the
others through the pixels it takes from them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, IntArray


@dataclass(frozen=True)
class ClassScores:
    """Hold figures of each class, [classes]; NaN where a class allows none.

    Attributes:
        mapped: Pixels on the map, int64.
        reference: Pixels in the reference, int64.
        users: User's accuracy, float64.
        producers: Producer's accuracy, float64.
        f1: Harmonic mean of both, float64.
        iou: Intersection over union, float64.
    """

    mapped: IntArray
    reference: IntArray
    users: DoubleArray
    producers: DoubleArray
    f1: DoubleArray
    iou: DoubleArray

    def mean(self, values: DoubleArray) -> float:
        """Return the mean of some figures over the classes of the reference."""
        return float(values[self.reference > 0].mean())


def class_scores(counts: IntArray) -> ClassScores:
    """Return the scores of each class from counts [reference class, map class]."""
    hits = np.diag(counts).astype(np.float64)
    reference, mapped = counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ClassScores(
            mapped=mapped,
            reference=reference,
            users=hits / mapped,
            producers=hits / reference,
            f1=2 * hits / (mapped + reference),
            iou=hits / (mapped + reference - hits),
        )


def scores(counts: IntArray) -> dict[str, Any]:
    """Return overall accuracy, means, and the figures of each class; None where a class allows none.

    Args:
        counts: Pixels or sampling units, [reference class, map class], at least one of them.
    """
    found, total = class_scores(counts), int(counts.sum())
    tables = {"users_accuracy": found.users, "producers_accuracy": found.producers, "f1": found.f1, "iou": found.iou}
    return {
        "total": total,
        "overall_accuracy": float(np.trace(counts) / total),
        "mean_iou": found.mean(found.iou),
        "mean_f1": found.mean(found.f1),
        "classes": [
            {
                "map": int(found.mapped[i]),
                "reference": int(found.reference[i]),
                **{name: none_if_nan(float(values[i])) for name, values in tables.items()},
            }
            for i in range(len(counts))
        ],
    }


def none_if_nan(value: float) -> float | None:
    """Return a number that JSON can hold."""
    return None if math.isnan(value) else value


class Confusion:
    """Sum up a confusion matrix chip by chip.

    Args:
        names: Name of each class, in the order of the class indices.

    Attributes:
        counts: Pixels, int64 [reference class, map class].
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.counts: IntArray = np.zeros((len(names), len(names)), dtype=np.int64)

    def add(self, truth: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Count pixels.

        Args:
            truth: Class indices, any shape; negative where unlabelled.
            predicted: Class indices, same shape; negative where nothing was predicted (left out as well).
        """
        keep = (truth >= 0) & (predicted >= 0)
        size = len(self.names)
        pairs = truth[keep].astype(np.int64) * size + predicted[keep]
        self.counts += np.bincount(pairs, minlength=size * size).reshape(size, size)

    def include(self, other: Confusion) -> None:
        """Add the counts of another matrix of the same classes."""
        self.counts += other.counts

    def merged(self, groups: Sequence[str]) -> Confusion:
        """Return the same counts with classes united; `groups` names the group of each class."""
        result = Confusion(list(dict.fromkeys(groups)))
        index = np.array([result.names.index(group) for group in groups])
        np.add.at(result.counts, (index[:, None], index[None, :]), self.counts)
        return result

    def scores(self) -> dict[str, Any]:
        """Return overall accuracy, mean IoU and F1, and IoU, F1, precision, recall and pixels of each labelled class.

        The precision of a class that was never predicted is 0.
        """
        found, total = class_scores(self.counts), int(self.counts.sum())
        if total == 0:
            return {"pixels": 0}
        return {
            "pixels": total,
            "overall_accuracy": float(np.trace(self.counts) / total),
            "mean_iou": found.mean(found.iou),
            "mean_f1": found.mean(found.f1),
            "classes": {
                name: {
                    "iou": float(found.iou[i]),
                    "f1": float(found.f1[i]),
                    "precision": float(np.nan_to_num(found.users[i])),
                    "recall": float(found.producers[i]),
                    "pixels": int(found.reference[i]),
                }
                for i, name in enumerate(self.names)
                if found.reference[i]
            },
        }

    def balanced_accuracy(self) -> float:
        """Return the mean recall of the labelled classes."""
        found = class_scores(self.counts)
        return found.mean(found.producers)

    def table(self) -> dict[str, Any]:
        """Return the counts as plain types: a row for each labelled class, a column for each predicted one."""
        return {"names": self.names, "rows": "labels", "columns": "predictions", "counts": self.counts.tolist()}


def class_indices(label: NDArray[np.uint8], values: Sequence[int]) -> NDArray[np.int16]:
    """Return the class index of each label value, -1 where the value is not in `values` (unlabelled, other legend)."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(values)] = np.arange(len(values), dtype=np.int16)
    result: NDArray[np.int16] = table[label]
    return result
