"""Scores of a classified map: one confusion matrix over the whole split, formulae by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score, precision_recall_fscore_support

from backend.core.arrays import IntArray


class Confusion:
    """A confusion matrix that grows chip by chip.

    Args:
        names: Name of each class, in the order of the class indices.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Start with no pixel counted."""
        self.names = list(names)
        self.counts: IntArray = np.zeros((len(names), len(names)), dtype=np.int64)

    def add(self, truth: NDArray[Any], predicted: NDArray[Any]) -> None:
        """Count pixels.

        Args:
            truth: Class indices, any shape; negative where unlabelled.
            predicted: Class indices, same shape; negative where nothing was predicted (left out as well).
        """
        keep = (truth >= 0) & (predicted >= 0)
        if keep.any():
            self.counts += confusion_matrix(truth[keep], predicted[keep], labels=range(len(self.names)))

    def include(self, other: Confusion) -> None:
        """Add the counts of another matrix of the same classes."""
        self.counts += other.counts

    def merged(self, groups: Sequence[str]) -> Confusion:
        """The same counts with classes united: `groups` names the group of each class."""
        result = Confusion(list(dict.fromkeys(groups)))
        index = np.array([result.names.index(group) for group in groups])
        np.add.at(result.counts, (index[:, None], index[None, :]), self.counts)
        return result

    def scores(self) -> dict[str, Any]:
        """Overall accuracy, mean IoU and F1, and per class IoU, F1, precision, recall and pixels.

        Precision is what map makers call the user's accuracy, recall the producer's. Means are over the classes that
        the labels hold; a class predicted but never labelled lowers the others' scores through their false negatives.
        """
        total = int(self.counts.sum())
        if total == 0:
            return {"pixels": 0}
        truth, predicted = (axis.ravel() for axis in np.indices(self.counts.shape))
        weight = self.counts.ravel()
        common = {"sample_weight": weight, "labels": range(len(self.names)), "average": None, "zero_division": 0}
        iou = jaccard_score(truth, predicted, **common)
        precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, **common)
        support = self.counts.sum(axis=1)
        there = support > 0
        return {
            "pixels": total,
            "overall_accuracy": float(accuracy_score(truth, predicted, sample_weight=weight)),
            "mean_iou": float(iou[there].mean()),
            "mean_f1": float(f1[there].mean()),
            "classes": {
                name: {
                    "iou": float(iou[i]),
                    "f1": float(f1[i]),
                    "precision": float(precision[i]),
                    "recall": float(recall[i]),
                    "pixels": int(support[i]),
                }
                for i, name in enumerate(self.names)
                if there[i]
            },
        }

    def table(self) -> dict[str, Any]:
        """The counts as plain types: a row for each labelled class, a column for each predicted one."""
        return {"names": self.names, "rows": "labels", "columns": "predictions", "counts": self.counts.tolist()}


def class_indices(label: NDArray[np.uint8], values: Sequence[int]) -> NDArray[np.int16]:
    """Class index of each label value, -1 where the value is not in `values` (unlabelled, other legend)."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(values)] = np.arange(len(values), dtype=np.int16)
    result: NDArray[np.int16] = table[label]
    return result
