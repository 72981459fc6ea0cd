"""Hold binary trees as tables, and walk down them as `backend/network/forest_head.py` does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import FloatArray

PIXELS = 1024  # that go down all trees at once: their positions stay in a processor's cache


@dataclass(frozen=True)
class Trees:
    """Hold binary trees as tables of M nodes, the root first; the two children of a node are neighbours.

    Attributes:
        feature: Which feature decides at each node, int16 [T, M].
        threshold: Up to which value it goes left, float32 [T, M].
        child: The left child, int16 [T, M]; the right one is the next. A leaf is its own left child, and its threshold
            is above every value.
        share: Share of each class at each node, float32 [T, M, K].
        depth: Steps after which every walk has come to a leaf.
    """

    feature: NDArray[np.int16]
    threshold: FloatArray
    child: NDArray[np.int16]
    share: FloatArray
    depth: int

    def probabilities(self, columns: FloatArray) -> FloatArray:
        """Return the mean of the trees' shares, float32 [n, K], of features [F, n]."""
        count, nodes, classes = self.share.shape
        first = np.arange(count, dtype=np.int32)[:, None] * nodes
        child, share = (self.child.astype(np.int32) + first).ravel(), self.share.reshape(-1, classes)
        feature, threshold = self.feature.ravel().astype(np.int32), self.threshold.ravel()
        found = np.empty((columns.shape[1], classes), dtype=np.float32)
        for start in range(0, columns.shape[1], PIXELS):
            part = columns[:, start : start + PIXELS]
            numbers, place = np.arange(part.shape[1]), np.repeat(first, part.shape[1], axis=1)
            for _ in range(self.depth):
                right = part[feature[place], numbers] > threshold[place]
                place = child[place] + right
            found[start : start + PIXELS] = share[place].mean(axis=0)
        return found
