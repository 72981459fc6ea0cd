"""Name the layers that say how uncertain each pixel of a class map is, and compute those of probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backend.card.model_card import LandCoverClass
from backend.core.arrays import FloatArray
from backend.stream.decision import group_members, total

# Outputs of `landcover` by role, each with its name as a band.
MEASURES = {
    "margin": "margin to the next class",
    "entropy": "entropy of the classes",
    "surroundings": "share of the surroundings with the same class",
    "disagreement": "disagreement of overlapping tiles",
}


def margin(probabilities: FloatArray, classes: Sequence[LandCoverClass]) -> FloatArray:
    """Return the lead of the likeliest class over the next one, float32 [rows, width], 0 (a tie) to 1.

    Args:
        probabilities: float32 [K, rows, width].
        classes: Legend, in the order of the probabilities. Where classes form groups, these are compared, since the
            group is decided first (see `backend.stream.decision`).
    """
    sums = _decided(probabilities, classes)
    if len(sums) == 1:
        only: FloatArray = sums[0]
        return only
    top = np.partition(sums, len(sums) - 2, axis=0)
    lead: FloatArray = top[-1] - top[-2]
    return lead


def entropy(probabilities: FloatArray, classes: Sequence[LandCoverClass]) -> FloatArray:
    """Return the entropy of the probabilities, float32 [rows, width], 0 (certain) to 1 (all are equal).

    Shannon's entropy by the logarithm to the base of the number of classes; for the arguments see `margin`.
    """
    sums = _decided(probabilities, classes)
    if len(sums) == 1:
        return np.zeros_like(sums[0])
    parts = np.where(sums > 0, sums * np.log(np.maximum(sums, np.finfo(np.float32).tiny)), np.float32(0))
    result: FloatArray = np.clip(-parts.sum(axis=0) / np.float32(math.log(len(sums))), 0, 1)
    return result


def _decided(probabilities: FloatArray, classes: Sequence[LandCoverClass]) -> FloatArray:
    return np.stack([total(probabilities, members) for members in group_members(classes)])
