"""Join patches below a minimum area to a neighbour: the one with which they have the longest common border."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.vectors.labelling import joined_groups
from backend.vectors.patches import Borders, Patches, sum_pairs, weighted

# An odd number whose multiples, modulo 2**32, spread numbers that follow each other (Knuth, vol. 3, section 6.4).
SPREAD = 2654435761


class _State(NamedTuple):
    """Hold the patches as joined so far: area, class, and borders between those that aren't large enough yet."""

    group: IntArray  # of each patch as it was at first
    area: DoubleArray
    classes: IntArray
    a: IntArray
    b: IntArray
    length: DoubleArray


def join_small(patches: Patches, minimum: float) -> tuple[Patches, int]:
    """Join every patch smaller than `minimum` to a neighbour, smallest first, until none is left that has one.

    A patch that is smaller than all its small neighbours joins the neighbour with the longest border (of equally long
    ones the larger, then the one that comes first) and takes its class; all such patches do so at the same time, and
    patches of one class that touch from then on become one. This goes on in rounds. Pixels without data are no
    neighbours: an island of data that is too small stays.

    Args:
        patches: Patches with their borders.
        minimum: Least area, in the unit of their areas.

    Returns:
        The patches, and the number of those that are smaller than the minimum still.
    """
    borders = cast(Borders, patches.borders)
    state = _State(
        np.arange(patches.area.size), patches.area.copy(), patches.classes.copy(), borders.a, borders.b, borders.length
    )
    while True:
        small = state.area < minimum
        state = _of_small(state, small)
        if not state.a.size:
            break
        state = _touching(_round(state, small))
    first = np.unique(state.group)
    number = np.zeros(patches.area.size, np.int64)
    # Groups are named by their first patch, so that this is the order of their first pixels.
    number[first] = np.arange(first.size)
    joined = patches.renumbered(number[state.group], state.classes[first])
    return joined, int(np.count_nonzero(joined.area[1:] < minimum))


def _of_small(state: _State, small: BoolArray) -> _State:
    """Leave out borders between patches that are both large enough."""
    kept = small[state.a] | small[state.b]
    return state._replace(a=state.a[kept], b=state.b[kept], length=state.length[kept])


def _round(state: _State, small: BoolArray) -> _State:
    """Join each small patch that is smaller than all small neighbours to its neighbour with the longest border."""
    one, other = np.concatenate((state.a, state.b)), np.concatenate((state.b, state.a))
    length = np.concatenate((state.length, state.length))
    # Equal areas in an order that is not that of their places: else rows of pixels would be joined one at a time.
    spread = one * SPREAD & 0xFFFFFFFF, other * SPREAD & 0xFFFFFFFF
    before = (state.area[other] < state.area[one]) | ((state.area[other] == state.area[one]) & (spread[1] < spread[0]))
    held_up = np.zeros(state.area.size, bool)
    held_up[one[small[other] & before]] = True
    due = small[one] & ~held_up[one]
    one, other, length = one[due], other[due], length[due]
    order = np.lexsort((other, -state.area[other], -length, one))
    source, first = np.unique(one[order], return_index=True)
    return _merged(state, source, other[order][first])


def _merged(state: _State, source: IntArray, target: IntArray) -> _State:
    """Join patches `source` to patches `target`, none of which is itself a source; they take the target's class."""
    classes = state.classes.copy()
    classes[source] = classes[target]
    return _united(state._replace(classes=classes), source, target)


def _touching(state: _State) -> _State:
    """Join patches of one class that have a common border."""
    same = state.classes[state.a] == state.classes[state.b]
    return _united(state, state.a[same], state.b[same]) if same.any() else state


def _united(state: _State, one: IntArray, other: IntArray) -> _State:
    count = state.area.size
    groups = joined_groups(one, other, count)
    # A group has the number of its first patch.
    _, first = np.unique(groups, return_index=True)
    name = first[groups]
    area = weighted(name, state.area, count)
    a, b = name[state.a], name[state.b]
    apart = a != b
    a, b, length = a[apart], b[apart], state.length[apart]
    pairs = sum_pairs(np.minimum(a, b), np.maximum(a, b), length)
    return _State(name[state.group], area, state.classes, *pairs)
