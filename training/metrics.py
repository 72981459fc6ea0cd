"""Scores of a classified map: one confusion matrix over the whole split, formulae by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, jaccard_score

# WorldCover values by four groups that C-band backscatter can be expected to tell apart.
MERGED: dict[int, str] = {
    10: "tree", 95: "tree", 20: "open", 30: "open", 40: "open", 60: "open", 90: "open", 100: "open", 70: "open",
    50: "built", 80: "water",
}  # fmt: skip


class Confusion:
    """A confusion matrix that grows chip by chip.

    Args:
        names: Name of each class, in the order of the class indices.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Start with no pixel counted."""
        self.names = list(names)
        self.counts: NDArray[np.int64] = np.zeros((len(names), len(names)), dtype=np.int64)

    def add(self, truth: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Count pixels.

        Args:
            truth: Class indices, any shape; negative where unlabelled.
            predicted: Class indices, same shape; negative where nothing was predicted (left out as well).
        """
        keep = (truth >= 0) & (predicted >= 0)
        if keep.any():
            self.counts += confusion_matrix(truth[keep], predicted[keep], labels=range(len(self.names)))

    def merged(self, groups: Mapping[str, str]) -> Confusion:
        """The same counts with classes united: `groups` gives the group of each class name."""
        names = sorted({groups[name] for name in self.names}, key=[groups[n] for n in self.names].index)
        index = [names.index(groups[name]) for name in self.names]
        result = Confusion(names)
        np.add.at(result.counts, (np.array(index)[:, None], np.array(index)[None, :]), self.counts)
        return result

    def scores(self) -> dict[str, Any]:
        """Overall accuracy, mean IoU and F1, and per class IoU, F1 and pixels.

        Means are over the classes that the labels hold; a class predicted but never labelled lowers the others'
        scores through their false negatives.
        """
        total = int(self.counts.sum())
        if total == 0:
            return {"pixels": 0}
        truth, predicted = (axis.ravel() for axis in np.indices(self.counts.shape))
        common = {"sample_weight": self.counts.ravel(), "labels": range(len(self.names)), "average": None}
        iou = jaccard_score(truth, predicted, zero_division=0, **common)
        f1 = f1_score(truth, predicted, zero_division=0, **common)
        support = self.counts.sum(axis=1)
        there = support > 0
        return {
            "pixels": total,
            "overall_accuracy": float(accuracy_score(truth, predicted, sample_weight=self.counts.ravel())),
            "mean_iou": float(iou[there].mean()),
            "mean_f1": float(f1[there].mean()),
            "classes": {
                name: {"iou": float(iou[i]), "f1": float(f1[i]), "pixels": int(support[i])}
                for i, name in enumerate(self.names)
                if there[i]
            },
        }


def class_indices(label: NDArray[np.uint8], values: Sequence[int]) -> NDArray[np.int16]:
    """Class index of each label value, -1 where the value is not in `values` (unlabelled, other legend)."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(values)] = np.arange(len(values), dtype=np.int16)
    result: NDArray[np.int16] = table[label]
    return result
