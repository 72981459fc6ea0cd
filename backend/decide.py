"""Which class a pixel gets: the likeliest one of the likeliest group.

Where backscatter can't tell several classes apart (grass, crops, shrubs), each holds a part of what is known together,
and a rival that stands alone would win with less: 0.3 for tree against 0.2, 0.2, 0.2 for the three. The least expected
error at the level that is told apart is to choose the group by its sum first (Bayes decision; the same reasoning as for
hierarchies of classes in Deng et al. 2012, "Hedging your bets"). Classes without a group stand for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card import LandCoverClass

Decide = Callable[[NDArray[np.float32]], NDArray[np.intp]]


def group_indices(classes: Sequence[LandCoverClass]) -> list[int]:
    """Number of each class's group, counted from 0 in order of appearance."""
    keys = [item.group or f"value {item.value}" for item in classes]
    order = list(dict.fromkeys(keys))
    return [order.index(key) for key in keys]


def by_groups(classes: Sequence[LandCoverClass]) -> bool:
    """Whether groups have a say: there are several, and one of them has several classes."""
    return 1 < max(group_indices(classes)) + 1 < len(classes)


def decision(classes: Sequence[LandCoverClass]) -> Decide:
    """The rule by which a model with these classes decides.

    Args:
        classes: Legend of the card, in the order of the probabilities.

    Returns:
        A function from probabilities, float32 [K, ...], to class indices, integers [...].
    """
    groups = group_indices(classes)
    if not by_groups(classes):
        return lambda probabilities: probabilities.argmax(axis=0)

    def decide(probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        sums = group_sums(probabilities, groups)
        winner = sums.argmax(axis=0)
        best = np.zeros(winner.shape, dtype=np.intp)
        highest = np.full(winner.shape, -np.inf, dtype=np.float32)
        for index, group in enumerate(groups):
            better = (winner == group) & (probabilities[index] > highest)
            best[better] = index
            highest[better] = probabilities[index][better]
        return best

    return decide


def group_sums(probabilities: NDArray[Any], groups: Sequence[int]) -> NDArray[Any]:
    """Probabilities [K, ...] added up by group: [G, ...]."""
    sums = np.zeros((max(groups) + 1, *probabilities.shape[1:]), dtype=probabilities.dtype)
    for index, group in enumerate(groups):
        sums[group] += probabilities[index]
    return sums
