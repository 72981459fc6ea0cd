"""Build the walks of all pixels down the trees of a forest, as `backend/network/forest_head.py` computes them.

ONNX has an operator for trees in a domain of its own, which OpenVINO lacks. Here a walk is a number of look-ups in
tables of all nodes: GROUP trees at once, whose positions stay in a processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from backend.card.arch import Arch
from backend.graph.builder import Builder

A = TypeVar("A")  # of arrays
# Trees that are walked at once.
GROUP = 8
_INT32 = 6  # number of the type in ONNX


@dataclass(frozen=True)
class TreeTables(Generic[A]):
    """Hold binary trees as tables of M nodes, the root first; the two children of a node are neighbours.

    Attributes:
        feature: Which feature decides at each node, int16 [T, M].
        threshold: Up to which value it goes left, float32 [T, M].
        child: The left child, int16 [T, M]; the right one is the next. A leaf is its own left child, and its threshold
            is above every value.
        share: Share of each class at each node, float32 [T, M, K].
        depth: Steps after which every walk has come to a leaf.
    """

    feature: A
    threshold: A
    child: A
    share: A
    depth: int


class _Pixels(NamedTuple):
    """Hold the names of all pixels' features, of the pixels' numbers, and of their count."""

    columns: str
    numbers: str
    total: str


def votes(b: Builder, features: str, arch: Arch, classes: int) -> str:
    """Add the mean of the trees' shares [n, classes, rows, columns] of features [n, F, rows, columns]."""
    sides = (b.sizes(features, 0, 1), b.sizes(features, 2, 4))
    columns = b.add("Reshape", b.add("Transpose", features, perm=(1, 0, 2, 3)), b.numbers([-1]))
    count = b.add("Cast", b.add("ReduceProd", b.join(sides, 0), axes=(0,), keepdims=0), to=_INT32)
    ends = (b.constant("head.first", np.array(0, np.int32)), b.constant("head.step", np.array(1, np.int32)))
    pixels = _Pixels(columns, b.add("Range", ends[0], count, ends[1]), count)
    _add_tables(b, classes)
    sums: list[str] = []
    for first in range(0, arch.trees, GROUP):
        leaves = _leaves(b, pixels, first, arch)
        found = [
            b.add("ReduceSum", b.add("Gather", f"head.share.{number}", leaves), b.numbers([0]), keepdims=1)
            for number in range(classes)
        ]
        sums = [b.add("Add", *pair) for pair in zip(sums, found)] if sums else found
    mean = b.add("Div", b.join(sums, 0), b.floats(float(arch.trees)))
    wide = b.add("Reshape", mean, b.join((b.numbers([classes]), *sides), 0))
    return b.add("Transpose", wide, perm=(1, 0, 2, 3))


def _add_tables(b: Builder, classes: int) -> None:
    """Add the tables of all nodes, in which children are numbered through all trees."""
    child, share = b.tensors["head.child"], b.tensors["head.share"]
    trees, nodes = child.shape
    # Whatever a file says, no node is read that there isn't.
    through = (
        np.clip(child, 0, max(0, nodes - 2)).astype(np.int32) + (np.arange(trees, dtype=np.int32) * nodes)[:, None]
    )
    b.constant("head.child", through.ravel())
    b.constant("head.feature", np.maximum(b.tensors["head.feature"], 0).astype(np.int32).ravel())
    b.constant("head.threshold", b.tensors["head.threshold"].ravel())
    for number in range(classes):
        b.constant(f"head.share.{number}", np.ascontiguousarray(share[..., number]).ravel())


def _leaves(b: Builder, pixels: _Pixels, first: int, arch: Arch) -> str:
    """Add the leaves [trees, pixels] to which pixels come in some trees, int32."""
    roots = np.arange(first, min(first + GROUP, arch.trees), dtype=np.int32)[:, None] * arch.tree_nodes
    place = b.constant(f"head.roots.{first}", roots.astype(np.int32))
    for _ in range(arch.tree_depth):
        row = b.add("Mul", b.add("Gather", "head.feature", place), pixels.total)
        values = b.add("Gather", pixels.columns, b.add("Add", row, pixels.numbers))
        right = b.add("Cast", b.add("Greater", values, b.add("Gather", "head.threshold", place)), to=_INT32)
        place = b.add("Add", b.add("Gather", "head.child", place), right)
    return place
