"""Grow a forest from the features of samples, and turn it into the head that maps with it.

Extremely randomised trees (Geurts et al. 2006, Machine Learning 63, 3-42), which split at random thresholds, did better
here than a random forest. Half of the trees use focal statistics of backscatter only, the other half also components of
the tokens: with few samples the plain features are more reliable, with more samples tokens add information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from backend.card.arch import MAX_SHARES
from backend.core.arrays import DoubleArray, FloatArray, IntArray
from backend.maps.pca import Components
from backend.own_classes.trees import Trees

# Chosen with benchmarks/quality/own_classes.py, on other draws than those it reports.
TREES, LEAVES, DEPTH = 128, 512, 16
PORTION = 16  # trees grown between two checks for a cancel
PORTIONS = TREES // PORTION
NEVER = 1e30  # threshold of a leaf: above every value


@dataclass(frozen=True)
class TrainingData:
    """Hold training data of a forest.

    Attributes:
        x: Components of tokens, then focal statistics of backscatter, float32 [n, C + P].
        classes: Class index of each pixel, int64 [n].
        weights: Weight of each pixel, [n].
        count: Number of classes K.
        components: Number of components C.
    """

    x: FloatArray
    classes: IntArray
    weights: DoubleArray
    count: int
    components: int


def leaves_for(classes: int) -> int:
    """Return the most leaves of a tree: fewer with many classes, since each node stores a share of every class."""
    return min(LEAVES, MAX_SHARES // (2 * TREES * classes))


def grow(data: TrainingData, portion_done: Callable[[], None] = lambda: None) -> Trees:
    """Grow all trees; equal data give equal trees.

    Args:
        data: Training data.
        portion_done: Called after each of PORTIONS portions; may raise to end the work.
    """
    grown: list[tuple[Any, int, IntArray]] = []
    x = data.x
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
    feature, threshold, child, share = (np.stack(column) for column in zip(*tables))
    return Trees(feature, threshold, child, share, max(1, *(int(tree.max_depth) for tree, _, _ in grown)))


def _as_tables(
    tree: Any, nodes: int, first: int, known: IntArray, count: int
) -> tuple[NDArray[np.int16], FloatArray, NDArray[np.int16], FloatArray]:
    """Convert a tree of scikit-learn to the tables of `Trees`: feature, threshold, child and share."""
    left, right = tree.children_left, tree.children_right
    inner = np.flatnonzero(left >= 0)
    # New index of each node: the root first, then pairs of children.
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
    """Round down to float32, so that comparing a float32 with the result equals comparing it with the value."""
    nearest = values.astype(np.float32)
    lower = np.nextafter(nearest, np.float32(-np.inf), dtype=np.float32)
    result: FloatArray = np.where(nearest > values, lower, nearest)
    return result


def head_tensors(trees: Trees, components: Components) -> dict[str, NDArray[Any]]:
    """Return the tensors of the head "forest", by their names in the network.

    Args:
        trees: Forest grown from features with `components` first.
        components: Principal components of the tokens.
    """
    weight, bias = components.linear()
    tables = {name: getattr(trees, name) for name in ("feature", "threshold", "child", "share")}
    found = {"tokens.weight": weight[:, :, None, None], "tokens.bias": bias, **tables}
    return {f"head.{name}": np.ascontiguousarray(value) for name, value in found.items()}
