"""Spatial blocks: what is near together is held out together, or an accuracy would be too good.

Neighbouring pixels are alike whatever the classifier has learnt, so samples are cut into the cells of a grid and whole
cells are held out (Roberts et al. 2017, Ecography 40, 913-929, "block cross-validation"). A polygon that lies in
several cells joins them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from training.own.pixels import Places

SIDES = (128, 64, 32, 16)  # pixels, the first that will do; below that, neighbours in all but name
FOLDS = 5
ENOUGH = 2 * FOLDS  # blocks with which a coarser grid is preferred to a finer one

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Folds:
    """How samples are held out in turn.

    Attributes:
        side: Of a block, in pixels.
        blocks: How many blocks of samples there are.
        fold: For each pixel the number of the fold that holds it out, or -1 where it is always learnt from: there
            would be nothing to learn one of its block's classes from otherwise. int64 [n].
        count: Number of folds, at least 2.
    """

    side: int
    blocks: int
    fold: IntArray
    count: int


def group_blocks(places: Places, side: int) -> IntArray:
    """Number of the group of blocks in which each pixel lies, [n].

    Pixels of one sample are in one group, and so are pixels of one cell of a grid of `side` pixels.
    """
    _, cells = np.unique(np.stack((places.rows // side, places.columns // side), axis=1), axis=0, return_inverse=True)
    cells = cells.reshape(-1)
    samples, cell_count = places.sample, int(cells.max(initial=-1)) + 1
    size = cell_count + int(samples.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(cells)), (cells, cell_count + samples)), shape=(size, size))
    _, parts = connected_components(links, directed=False)
    _, groups = np.unique(parts[cells], return_inverse=True)
    result: IntArray = groups.reshape(-1).astype(np.int64)
    return result


def plan_folds(places: Places, classes: IntArray, seed: int = 0) -> Folds | None:
    """Folds over the coarsest blocks with which most classes can be held out.

    Args:
        places: Pixels of samples.
        classes: Class index of each pixel, [n].
        seed: Of the shuffle of blocks.

    Returns:
        None where fewer than two classes lie in two blocks or more: nothing can be said.
    """
    best: tuple[tuple[int, bool], int, IntArray] | None = None
    for side in SIDES:
        groups = group_blocks(places, side)
        spread = _spread(groups, classes)
        worth = (len(spread), int(groups.max()) + 1 >= ENOUGH)
        if best is None or worth > best[0]:
            best = worth, side, groups
    assert best is not None
    (testable, _), side, groups = best
    free = _free(groups, classes)
    if testable < 2 or len(np.unique(classes[free])) < 2:
        return None
    # Of every class that is free there are two groups, and so two pixels, at least.
    rounds = min(FOLDS, len(np.unique(groups[free])), int(np.bincount(classes[free]).max()))
    fold = np.full(len(classes), -1, dtype=np.int64)
    index = np.flatnonzero(free)
    split = StratifiedGroupKFold(rounds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a class has fewer pixels than there are folds
        for number, (_, held) in enumerate(split.split(index, classes[index], groups[index])):
            fold[index[held]] = number
    return Folds(side, int(groups.max()) + 1, fold, rounds)


def _spread(groups: IntArray, classes: IntArray) -> IntArray:
    """Classes that lie in two groups or more."""
    pairs = np.unique(np.stack((classes, groups), axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    result: IntArray = found[counts > 1]
    return result


def _free(groups: IntArray, classes: IntArray) -> NDArray[np.bool_]:
    """Pixels of groups that hold no class which is nowhere else."""
    alone = ~np.isin(classes, _spread(groups, classes))
    return ~np.isin(groups, groups[alone])
