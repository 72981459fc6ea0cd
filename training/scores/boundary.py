"""Score where a map draws the borders between classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from backend.core.arrays import BoolArray

# Pixels by which a border may be off.
TOLERANCE = 2


def borders(classes: NDArray[np.int16], known: BoolArray) -> BoolArray:
    """Return the pixels with a known neighbour of another class to the left, right, above or below.

    Args:
        classes: [H, W], class indices.
        known: bool [H, W], pixels that have a class.

    Returns:
        bool [H, W].
    """
    border = np.zeros(classes.shape, dtype=np.bool_)
    for one, other in (((slice(1, None),), (slice(-1),)), ((slice(None), slice(1, None)), (slice(None), slice(-1)))):
        parted = (classes[one] != classes[other]) & known[one] & known[other]
        border[one] |= parted
        border[other] |= parted
    return border


@dataclass
class BoundaryScore:
    """Add up how many border pixels of maps and labels have a counterpart (boundary F1 of Csurka et al. 2013, BMVC).

    Attributes:
        mapped: Border pixels of the maps.
        right: Those of them within TOLERANCE pixels of a border of the labels.
        labelled: Border pixels of the labels.
        found: Those of them within TOLERANCE pixels of a border of the maps.
    """

    mapped: int = 0
    right: int = 0
    labelled: int = 0
    found: int = 0

    def add(self, classes: NDArray[np.int16], target: NDArray[np.int16]) -> None:
        """Add an image, where both have a class.

        Args:
            classes: [H, W], mapped class indices, negative for none.
            target: [H, W], class indices of the labels, negative for none.
        """
        known: BoolArray = (classes >= 0) & (target >= 0)
        drawn, wanted = borders(classes, known), borders(target, known)
        self.mapped += int(drawn.sum())
        self.labelled += int(wanted.sum())
        self.right += int((drawn & near(wanted)).sum())
        self.found += int((wanted & near(drawn)).sum())

    def f1(self) -> float | None:
        """Return the harmonic mean of precision and recall of borders; None where the labels have no border."""
        if not self.labelled:
            return None
        precision, recall = self.right / max(self.mapped, 1), self.found / self.labelled
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def near(border: BoolArray) -> BoolArray:
    """Return the pixels within TOLERANCE pixels of a border pixel, bool [H, W]."""
    if not border.any():
        return np.zeros_like(border)
    close: BoolArray = distance_transform_edt(~border) <= TOLERANCE
    return close
