"""What an evaluation counts: classes and groups, map and probabilities, over an image and over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.accuracy.scores import Confusion
from backend.core.arrays import FloatArray
from backend.stream.decision import group_sums
from training.scores.calibration import Calibration


@dataclass
class Counts:
    """What was counted, over an image or a split.

    Attributes:
        confusion: Label against map, by class.
        calibration: Of the probabilities of the mapped classes.
        groups: Group of each class; None where the legend is not WorldCover's.
        summed: Label against the group whose probabilities sum to most, by group.
        summed_calibration: Of those sums.
    """

    confusion: Confusion
    calibration: Calibration
    groups: list[str] | None
    summed: Confusion
    summed_calibration: Calibration

    @classmethod
    def none(cls, names: Sequence[str], groups: list[str] | None) -> Counts:
        """Nothing counted yet."""
        united = Confusion(list(dict.fromkeys(groups or ())))
        return cls(Confusion(names), Calibration(), groups, united, Calibration())

    def add(self, truth: NDArray[np.int16], mapped: NDArray[np.int16], shares: FloatArray) -> None:
        """Count pixels.

        Args:
            truth: Class indices [H, W], -1 where unlabelled.
            mapped: Class indices of the map, same shape, -1 for nodata.
            shares: Probabilities [K, H, W] of the model's classes, the first of all; nan for nodata.
        """
        self.confusion.add(truth, mapped)
        # The map's own choice, which goes by groups where the legend has them, and the confidence that it writes.
        self.calibration.add(truth, mapped, np.take_along_axis(shares, np.maximum(mapped, 0)[None], axis=0)[0])
        if self.groups is None:
            return
        index = np.array([self.summed.names.index(group) for group in self.groups])
        # Groups of labels that the model doesn't know come last, and have no share.
        united = group_sums(shares, index[: len(shares)].tolist())
        truth = np.where(truth >= 0, index[truth], -1)
        likeliest = np.where(mapped >= 0, united.argmax(axis=0), -1)
        self.summed.add(truth, likeliest)
        self.summed_calibration.add(truth, likeliest, united.max(axis=0))

    def include(self, other: Counts) -> None:
        """Add what another counted of the same classes."""
        self.confusion.include(other.confusion)
        self.calibration.include(other.calibration)
        self.summed.include(other.summed)
        self.summed_calibration.include(other.summed_calibration)

    def by_class(self) -> dict[str, Any]:
        """Scores of the classes as plain types."""
        return _scores(self.confusion, self.calibration)

    def by_group(self) -> dict[str, dict[str, Any]]:
        """Scores of the groups, "merged" from the map and "summed"; empty where there are none."""
        if self.groups is None:
            return {}
        return {
            "merged": _scores(self.confusion.merged(self.groups)),
            "summed": _scores(self.summed, self.summed_calibration),
        }


def _scores(confusion: Confusion, calibration: Calibration | None = None) -> dict[str, Any]:
    measured = {} if calibration is None else {"calibration": calibration.scores()}
    return {**confusion.scores(), **measured, "confusion": confusion.table()}


@dataclass
class Evaluation:
    """What was counted over all images, and over each by its name.

    Attributes:
        total: All images together.
        images: Each image by name.
    """

    total: Counts
    images: dict[str, Counts] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Scores as plain types, by class and, for a WorldCover legend, by group."""
        by_class = {name: counts.by_class() for name, counts in self.images.items()}
        result: dict[str, Any] = {"all": self.total.by_class(), "images": by_class}
        by_group = {name: counts.by_group() for name, counts in self.images.items()}
        for kind, scores in self.total.by_group().items():
            result[kind] = {"all": scores, "images": {name: groups[kind] for name, groups in by_group.items()}}
        return result
