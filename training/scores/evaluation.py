"""Count an evaluation, per image and over all images: classes and groups, map and probabilities."""

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
    """Hold the counts of an image or a split.

    Attributes:
        confusion: Label against map, by class.
        calibration: Calibration of the confidence of the map.
        groups: Group of each class; None if the legend has no groups.
        summed: Label against the group with the highest sum of probabilities, by group.
        summed_calibration: Calibration of those sums.
    """

    confusion: Confusion
    calibration: Calibration
    groups: list[str] | None
    summed: Confusion
    summed_calibration: Calibration

    @classmethod
    def none(cls, names: Sequence[str], groups: list[str] | None) -> Counts:
        """Return counts of 0."""
        united = Confusion(list(dict.fromkeys(groups or ())))
        return cls(Confusion(names), Calibration(), groups, united, Calibration())

    def add(self, truth: NDArray[np.int16], mapped: NDArray[np.int16], shares: FloatArray) -> None:
        """Count pixels.

        Args:
            truth: Class indices [H, W], -1 where unlabelled.
            mapped: Class indices of the map [H, W], -1 for nodata.
            shares: Probabilities [K, H, W] of the model's classes, which are the first of all; nan for nodata.
        """
        self.confusion.add(truth, mapped)
        # The choice of the map, which is by groups if the legend has them, and its confidence.
        self.calibration.add(truth, mapped, np.take_along_axis(shares, np.maximum(mapped, 0)[None], axis=0)[0])
        if self.groups is None:
            return
        index = np.array([self.summed.names.index(group) for group in self.groups])
        # Groups that the model doesn't know come last and have no probability.
        united = group_sums(shares, index[: len(shares)].tolist())
        truth = np.where(truth >= 0, index[truth], -1)
        likeliest = np.where(mapped >= 0, united.argmax(axis=0), -1)
        self.summed.add(truth, likeliest)
        self.summed_calibration.add(truth, likeliest, united.max(axis=0))

    def include(self, other: Counts) -> None:
        """Add other counts of the same classes."""
        self.confusion.include(other.confusion)
        self.calibration.include(other.calibration)
        self.summed.include(other.summed)
        self.summed_calibration.include(other.summed_calibration)

    def by_class(self) -> dict[str, Any]:
        """Return the scores of the classes as plain types."""
        return _scores(self.confusion, self.calibration)

    def by_group(self) -> dict[str, dict[str, Any]]:
        """Return the scores of the groups, "merged" from the map and "summed"; empty without groups."""
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
    """Hold the counts of an evaluation.

    Attributes:
        total: All images together.
        images: Each image by name.
    """

    total: Counts
    images: dict[str, Counts] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return scores as plain types, by class and, if the legend has groups, by group."""
        by_class = {name: counts.by_class() for name, counts in self.images.items()}
        result: dict[str, Any] = {"all": self.total.by_class(), "images": by_class}
        by_group = {name: counts.by_group() for name, counts in self.images.items()}
        for kind, scores in self.total.by_group().items():
            result[kind] = {"all": scores, "images": {name: groups[kind] for name, groups in by_group.items()}}
        return result
