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

from backend.card import MAX_LEAF_VALUES
from backend.forest_head import ForestHead, Trees
from training.own.components import Components

# Chosen with benchmarks/own_classes.py in sight, on other draws than those it reports.
TREES, DEPTH = 128, 10
PORTION = 16  # trees that are grown between two looks at whether the user has cancelled
PORTIONS = TREES // PORTION
NEVER = 1e30  # threshold that every value is below: a leaf before the last level

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Lessons:
    """What a forest is grown from.

    Attributes:
        x: Components of tokens, then windowed backscatter, float32 [n, C + P].
        classes: Class index of each, int64 [n].
        weights: What each counts, [n].
        count: Number of classes K.
        components: C.
    """

    x: Tensor
    classes: NDArray[np.int64]
    weights: NDArray[np.float64]
    count: int
    components: int


def depth_for(classes: int) -> int:
    """Decisions of a tree: fewer with very many classes, whose shares at all leaves must fit into memory."""
    return min(DEPTH, (MAX_LEAF_VALUES // (TREES * classes)).bit_length() - 1)


def grow(lessons: Lessons, portion_done: Callable[[], None] = lambda: None) -> Trees:
    """Grow all trees; the same lessons give the same trees.

    Args:
        lessons: What they learn from.
        portion_done: Called after each of PORTIONS portions; may raise to end the work.
    """
    depth, parts = depth_for(lessons.count), []
    x = lessons.x.numpy()
    for number in range(PORTIONS):
        first = lessons.components if number % 2 else 0
        forest = ExtraTreesClassifier(PORTION, max_depth=depth, random_state=number)
        forest.fit(x[:, first:], lessons.classes, lessons.weights)
        known = np.asarray(forest.classes_, dtype=np.int64)
        parts += [_as_heap(tree.tree_, depth, first, known, lessons.count) for tree in forest.estimators_]
        portion_done()
    return Trees(*(torch.from_numpy(np.stack(column)) for column in zip(*parts)))


def _as_heap(
    tree: Any, depth: int, first: int, known: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int16], FloatArray, FloatArray]:
    """A tree of scikit-learn as `Trees` holds it: feature, threshold and leaf."""
    features, thresholds, node = [], [], np.zeros(1, dtype=np.int64)
    for _ in range(depth):
        inner = tree.children_left[node] >= 0
        features.append(np.where(inner, tree.feature[node] + first, 0).astype(np.int16))
        thresholds.append(np.where(inner, _rounded_down(tree.threshold[node]), np.float32(NEVER)))
        sides = (np.where(inner, side[node], node) for side in (tree.children_left, tree.children_right))
        node = np.stack(tuple(sides), axis=1).reshape(-1)
    shares = tree.value[node, 0]
    leaf = np.zeros((len(node), count), dtype=np.float32)
    leaf[:, known] = shares / shares.sum(axis=1, keepdims=True)
    return np.concatenate(features), np.concatenate(thresholds), leaf


def _rounded_down(values: NDArray[np.float64]) -> FloatArray:
    """To float32, such that a float32 is at most the result where it was at most the value."""
    nearest = values.astype(np.float32)
    lower = np.nextafter(nearest, np.float32(-np.inf), dtype=np.float32)
    result: FloatArray = np.where(nearest > values, lower, nearest)
    return result


def put_into(head: ForestHead, trees: Trees, components: Components) -> None:
    """Write a forest into a head.

    Args:
        head: Of the same trees, depth, features and classes.
        trees: Grown from features with `components` first.
        components: Of the tokens.
    """
    with torch.no_grad():
        head.tokens.weight.copy_(components.weight[:, :, None, None])
        cast(Tensor, head.tokens.bias).copy_(components.bias)
        for name in ("feature", "threshold", "leaf"):
            head.get_buffer(name).copy_(getattr(trees, name))
