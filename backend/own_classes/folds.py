"""Plan folds of spatial blocks for cross-validation.

Neighbouring pixels are correlated, so that randomly held-out pixels would make the accuracy too good. Whole cells of a
grid are held out instead (block cross-validation: Roberts et al. 2017, Ecography 40, 913-929). A polygon in several
cells joins them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from backend.core.arrays import BoolArray, IntArray
from backend.own_classes.pixels import SamplePixels

SIDES = (128, 64, 32, 16)  # pixels, the first that suffices; smaller blocks would hold out direct neighbours
FOLDS = 5
ENOUGH = 2 * FOLDS  # blocks from which on a coarser grid is preferred


@dataclass(frozen=True)
class Folds:
    """Hold folds of a cross-validation.

    Attributes:
        side: Side of a block in pixels.
        blocks: Number of blocks with samples.
        block: Block of each pixel (or group of blocks that a sample joins), int64 [n].
        fold: Fold that holds out each pixel, int64 [n]; -1 for pixels that are always in the training set, because
            their block has a class that no other block has.
        count: Number of folds, at least 2.
    """

    side: int
    blocks: int
    block: IntArray
    fold: IntArray
    count: int


def group_blocks(pixels: SamplePixels, side: int) -> IntArray:
    """Return the group of blocks of each pixel, [n].

    Pixels of one sample are in one group, and so are pixels of one cell of a grid of `side` pixels.
    """
    _, cells = np.unique(np.stack((pixels.rows // side, pixels.columns // side), axis=1), axis=0, return_inverse=True)
    cells = cells.reshape(-1)
    samples, cell_count = pixels.sample, int(cells.max(initial=-1)) + 1
    size = cell_count + int(samples.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(cells)), (cells, cell_count + samples)), shape=(size, size))
    _, parts = connected_components(links, directed=False)
    _, groups = np.unique(parts[cells], return_inverse=True)
    result: IntArray = groups.reshape(-1).astype(np.int64)
    return result


def plan_folds(pixels: SamplePixels, classes: IntArray, seed: int = 0) -> Folds | None:
    """Plan folds over the coarsest blocks with which most classes can be held out.

    Args:
        pixels: Pixels of samples.
        classes: Class index of each pixel, [n].
        seed: Seed of the shuffle of blocks.

    Returns:
        The folds; None if fewer than two classes lie in two blocks or more, so that accuracy can't be measured.
    """
    choices = [(side, group_blocks(pixels, side)) for side in SIDES]
    # Of equal choices max() takes the first, which is the coarsest.
    side, groups = max(choices, key=lambda choice: _quality(choice[1], classes))
    testable = len(_testable_classes(groups, classes))
    free = _testable_pixels(groups, classes)
    if testable < 2 or len(np.unique(classes[free])) < 2:
        return None
    rounds = min(FOLDS, len(np.unique(groups[free])))
    fold = np.full(len(classes), -1, dtype=np.int64)
    fold[free] = _assign_folds(groups[free], classes[free], rounds, seed)
    return Folds(side, int(groups.max()) + 1, groups, fold, rounds)


def _quality(groups: IntArray, classes: IntArray) -> tuple[int, bool]:
    """Return how many classes can be held out, and whether there are enough blocks."""
    return len(_testable_classes(groups, classes)), int(groups.max()) + 1 >= ENOUGH


def _testable_classes(groups: IntArray, classes: IntArray) -> IntArray:
    """Return the classes that lie in two groups or more."""
    pairs = np.unique(np.stack((classes, groups), axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    result: IntArray = found[counts > 1]
    return result


def _testable_pixels(groups: IntArray, classes: IntArray) -> BoolArray:
    """Return the mask of pixels whose group has no class that is in no other group."""
    alone = ~np.isin(classes, _testable_classes(groups, classes))
    return ~np.isin(groups, groups[alone])


def _assign_folds(groups: IntArray, classes: IntArray, rounds: int, seed: int) -> IntArray:
    """Return the fold of each pixel: groups, largest first, go to the fold with fewest pixels of their classes."""
    _, group = np.unique(groups, return_inverse=True)
    _, kind = np.unique(classes, return_inverse=True)
    held = np.zeros((int(group.max()) + 1, int(kind.max()) + 1))
    np.add.at(held, (group, kind), 1)
    held /= held.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(held))
    load, dealt = np.zeros((rounds, held.shape[1])), np.empty(len(held), dtype=np.int64)
    for item in order[np.argsort(-held[order].sum(axis=1), kind="stable")]:
        # An empty fold has the lowest load and comes first, so that no fold stays empty.
        dealt[item] = np.lexsort((load.sum(axis=1), load @ held[item]))[0]
        load[dealt[item]] += held[item]
    result: IntArray = dealt[group.reshape(-1)]
    return result
