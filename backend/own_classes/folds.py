"""Spatial blocks: what is near together is held out together, or an accuracy would be too good.

Neighbouring pixels are alike whatever the classifier has learnt, so samples are cut into the cells of a grid and whole
cells are held out (Roberts et al. 2017, Ecography 40, 913-929, "block cross-validation"). A polygon that lies in
several cells joins them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from backend.core.arrays import BoolArray, IntArray
from backend.own_classes.pixels import SamplePixels

SIDES = (128, 64, 32, 16)  # pixels, the first that will do; below that, neighbours in all but name
FOLDS = 5
ENOUGH = 2 * FOLDS  # blocks with which a coarser grid is preferred to a finer one


@dataclass(frozen=True)
class Folds:
    """How samples are held out in turn.

    Attributes:
        side: Of a block, in pixels.
        blocks: How many blocks of samples there are.
        block: Number of each pixel's block (or of several that one sample joins), int64 [n].
        fold: For each pixel the number of the fold that holds it out, or -1 where it is always learnt from: there
            would be nothing to learn one of its block's classes from otherwise. int64 [n].
        count: Number of folds, at least 2.
    """

    side: int
    blocks: int
    block: IntArray
    fold: IntArray
    count: int


def group_blocks(pixels: SamplePixels, side: int) -> IntArray:
    """Number of the group of blocks in which each pixel lies, [n].

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
    """Folds over the coarsest blocks with which most classes can be held out.

    Args:
        pixels: Pixels of samples.
        classes: Class index of each pixel, [n].
        seed: Of the shuffle of blocks.

    Returns:
        None where fewer than two classes lie in two blocks or more: nothing can be said.
    """
    choices = [(side, group_blocks(pixels, side)) for side in SIDES]
    # The first of equals is the coarsest.
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
    """How many classes can be held out, and whether in blocks enough."""
    return len(_testable_classes(groups, classes)), int(groups.max()) + 1 >= ENOUGH


def _testable_classes(groups: IntArray, classes: IntArray) -> IntArray:
    """Classes that lie in two groups or more."""
    pairs = np.unique(np.stack((classes, groups), axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    result: IntArray = found[counts > 1]
    return result


def _testable_pixels(groups: IntArray, classes: IntArray) -> BoolArray:
    """Pixels of groups that hold no class which is nowhere else."""
    alone = ~np.isin(classes, _testable_classes(groups, classes))
    return ~np.isin(groups, groups[alone])


def _assign_folds(groups: IntArray, classes: IntArray, rounds: int, seed: int) -> IntArray:
    """Fold of each pixel: groups go one by one, large ones first, where least of what they hold is yet."""
    _, group = np.unique(groups, return_inverse=True)
    _, kind = np.unique(classes, return_inverse=True)
    held = np.zeros((int(group.max()) + 1, int(kind.max()) + 1))
    np.add.at(held, (group, kind), 1)
    held /= held.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(held))
    load, dealt = np.zeros((rounds, held.shape[1])), np.empty(len(held), dtype=np.int64)
    for item in order[np.argsort(-held[order].sum(axis=1), kind="stable")]:
        # A fold without anything costs nothing and so comes first: none stays empty.
        dealt[item] = np.lexsort((load.sum(axis=1), load @ held[item]))[0]
        load[dealt[item]] += held[item]
    result: IntArray = dealt[group.reshape(-1)]
    return result
