"""Choose the class of a pixel: the likeliest class of the likeliest group.

Where backscatter can't tell several classes apart (grass, crops, shrubs), each holds a part of what is known together,
and a rival that stands alone would win with less: 0.3 for tree against 0.2, 0.2, 0.2 for the three. The least expected
error at the level of groups is to choose the group by its sum first (Bayes decision; the same reasoning as for
hierarchies of classes in Deng et al. 2012, "Hedging your bets"). Classes without a group stand for themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import LandCoverClass
from backend.core.arrays import BoolArray, FloatArray, IndexArray

# Pixels decided at once.
CACHED = 2**14
Decide = Callable[[NDArray[np.float32]], NDArray[np.intp]]


def group_indices(classes: Sequence[LandCoverClass]) -> list[int]:
    """Return the number of each class's group, counted from 0 in order of appearance."""
    keys = [item.group or f"value {item.value}" for item in classes]
    order = list(dict.fromkeys(keys))
    return [order.index(key) for key in keys]


def by_groups(classes: Sequence[LandCoverClass]) -> bool:
    """Return whether groups matter: there are several, and one of them has several classes."""
    return 1 < max(group_indices(classes)) + 1 < len(classes)


def group_members(classes: Sequence[LandCoverClass]) -> list[list[int]]:
    """Return the indices of the classes of each group that decides; each class for itself without groups."""
    return _members(group_indices(classes) if by_groups(classes) else range(len(classes)))


def _members(groups: Sequence[int]) -> list[list[int]]:
    return [[k for k, group in enumerate(groups) if group == each] for each in range(max(groups) + 1)]


def total(planes: Any, group: Sequence[int]) -> Any:
    """Add the planes of a group up, in its order; an array or a tensor [K, ...] alike."""
    result = planes[group[0]]
    for index in group[1:]:
        result = result + planes[index]
    return result


def decision(classes: Sequence[LandCoverClass]) -> Decide:
    """Return the rule by which a model with these classes decides.

    Args:
        classes: Legend of the card, in the order of the probabilities.

    Returns:
        A function from probabilities, float32 [K, ...], to class indices, integers [...].
    """
    members = group_members(classes)

    def decide(probabilities: FloatArray) -> IndexArray:
        best = np.empty(probabilities.shape[1:], dtype=np.intp)
        for part in _parts(best.shape):
            best[part] = _choose(probabilities[(slice(None), *part)], members)
        return best

    return decide


def choosing(classes: Sequence[LandCoverClass], confidence: bool) -> Callable[[FloatArray], NDArray[Any]]:
    """Return the decision for each pixel, as a reduction for `backend.stream.blend.RowBlender`.

    Args:
        classes: Legend of the card, in the order of the probabilities.
        confidence: Whether the probability of the class is wanted too.

    Returns:
        A function from probabilities float32 [K, rows, columns] to class indices uint8 [1, rows, columns], or to
        indices and probabilities, float32 [2, rows, columns].
    """
    decide = decision(classes)

    def reduce(probabilities: FloatArray) -> NDArray[Any]:
        best = decide(probabilities)[None]
        if not confidence:
            return best.astype(np.uint8)
        return np.concatenate((best.astype(np.float32), np.take_along_axis(probabilities, best, axis=0)))

    return reduce


def _choose(probabilities: FloatArray, members: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """Return the index of the likeliest class of the group with the highest sum; the first one of equals."""
    best = np.zeros(probabilities.shape[1:], dtype=np.uint8)
    if len(members) == len(probabilities):  # no groups: the same in fewer steps
        top = probabilities[0].copy()
        for index in range(1, len(members)):
            # Later classes have higher numbers.
            np.maximum(best, (probabilities[index] > top).view(np.uint8) * np.uint8(index), out=best)
            np.maximum(top, probabilities[index], out=top)
        return best
    top = np.full(best.shape, -np.inf, dtype=np.float32)
    for group in members:
        sums, highest = total(probabilities, group), probabilities[group[0]]
        likeliest = np.full(best.shape, group[0], dtype=np.uint8)
        for index in group[1:]:
            _put(likeliest, np.uint8(index), probabilities[index] > highest)
            highest = np.maximum(highest, probabilities[index])
        _put(best, likeliest, sums > top)
        np.maximum(top, sums, out=top)
    return best


def _put(target: NDArray[np.uint8], values: NDArray[np.uint8] | np.uint8, where: BoolArray) -> None:
    """Copy as `numpy.copyto` does, by bits: several times as fast, since no step depends on which pixels are meant."""
    target ^= (target ^ values) & (where.view(np.uint8) * np.uint8(255))


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Return slices along the first axis that fit into a processor's cache."""
    if not shape:
        yield ()
        return
    rows = max(1, CACHED // max(1, math.prod(shape[1:])))
    for top in range(0, shape[0], rows):
        yield (slice(top, top + rows),)


def group_sums(probabilities: NDArray[Any], groups: Sequence[int]) -> NDArray[Any]:
    """Return the probabilities [K, ...] summed by group: [G, ...]."""
    nothing = np.zeros_like(probabilities[0])
    return np.stack([total(probabilities, group) if group else nothing for group in _members(groups)])
