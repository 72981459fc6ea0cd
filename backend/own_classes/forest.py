"""A forest grown from the features of samples, and put into the head that maps with it.

Extremely randomised trees (Geurts et al. 2006, Machine Learning 63, 3-42), which split at random thresholds, did better
here than those of a random forest. Half of them see the windowed backscatter alone, the other half the components of
the tokens too: where a handful of samples is all there is, plain features hold the average up; with more samples the
tokens say what windows can't.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor

from backend.card.arch import MAX_SHARES
from backend.core.arrays import DoubleArray, FloatArray, IntArray
from backend.maps.pca import Components
from backend.network.forest_head import ForestHead, Trees

# Chosen with benchmarks/quality/own_classes.py in sight, on other draws than those it reports.
TREES, LEAVES, DEPTH = 128, 512, 16
PORTION = 16  # trees that are grown between two looks at whether the user has cancelled
PORTIONS = TREES // PORTION
NEVER = 1e30  # threshold that every value is below: a leaf


@dataclass(frozen=True)
class TrainingData:
    """What a forest is grown from.

    Attributes:
        x: Components of tokens, then windowed backscatter, float32 [n, C + P].
        classes: Class index of each, int64 [n].
        weights: What each counts, [n].
        count: Number of classes K.
        components: C.
    """

    x: Tensor
    classes: IntArray
    weights: DoubleArray
    count: int
    components: int


def leaves_for(classes: int) -> int:
    """Leaves of a tree: fewer with very many classes, whose shares at all nodes must fit into memory."""
    return min(LEAVES, MAX_SHARES // (2 * TREES * classes))


def grow(data: TrainingData, portion_done: Callable[[], None] = lambda: None) -> Trees:
    """Grow all trees; the same data give the same trees.

    Args:
        data: What they learn from.
        portion_done: Called after each of PORTIONS portions; may raise to end the work.
    """
    grown: list[tuple[Any, int, IntArray]] = []
    x = data.x.numpy()
    for number in range(PORTIONS):
        first = data.components if number % 2 else 0
        forest = ExtraTreesClassifier(
            PORTION, max_depth=DEPTH, max_leaf_nodes=max(2, leaves_for(data.count)), random_state=number
        )
        forest.fit(x[:, first:], data.classes, data.weights)
        known = np.asarray(forest.classes_, dtype=np.int64)
        grown += [(tree.tree_, first, known) for tree in forest.estimators_]
        portion_done()
    nodes = 1 + max(tree.node_count for tree, _, _ in grown)
    tables = [_as_tables(tree, nodes, first, known, data.count) for tree, first, known in grown]
    feature, threshold, child, share = (torch.from_numpy(np.stack(column)) for column in zip(*tables))
    return Trees(feature, threshold, child, share, max(1, *(int(tree.max_depth) for tree, _, _ in grown)))


def _as_tables(
    tree: Any, nodes: int, first: int, known: IntArray, count: int
) -> tuple[NDArray[np.int16], FloatArray, NDArray[np.int16], FloatArray]:
    """A tree of scikit-learn as `Trees` holds it: feature, threshold, child and share."""
    left, right = tree.children_left, tree.children_right
    inner = np.flatnonzero(left >= 0)
    # Where each of its nodes goes: the root first, then pairs of children.
    place = np.zeros(tree.node_count, dtype=np.int64)
    place[left[inner]] = 1 + 2 * np.arange(len(inner))
    place[right[inner]] = 2 + 2 * np.arange(len(inner))
    feature, child = np.zeros(nodes, dtype=np.int16), np.arange(nodes, dtype=np.int16)
    threshold = np.full(nodes, NEVER, dtype=np.float32)
    feature[place[inner]] = tree.feature[inner] + first
    threshold[place[inner]] = _rounded_down(tree.threshold[inner])
    child[place[inner]] = place[left[inner]]
    share = np.zeros((nodes, count), dtype=np.float32)
    shares = tree.value[:, 0]
    share[np.ix_(place, known)] = shares / shares.sum(axis=1, keepdims=True)
    return feature, threshold, child, share


def _rounded_down(values: DoubleArray) -> FloatArray:
    """To float32, such that a float32 is at most the result where it was at most the value."""
    nearest = values.astype(np.float32)
    lower = np.nextafter(nearest, np.float32(-np.inf), dtype=np.float32)
    result: FloatArray = np.where(nearest > values, lower, nearest)
    return result


def write_head(head: ForestHead, trees: Trees, components: Components) -> None:
    """Write a forest into a head.

    Args:
        head: Of the same sizes, features and classes.
        trees: Grown from features with `components` first.
        components: Of the tokens.
    """
    weight, bias = map(torch.from_numpy, components.linear())
    with torch.no_grad():
        head.tokens.weight.copy_(weight[:, :, None, None])
        cast(Tensor, head.tokens.bias).copy_(bias)
        for name in ("feature", "threshold", "child", "share"):
            head.get_buffer(name).copy_(getattr(trees, name))
