"""Hold binary trees as tables, and walk down them as `backend/network/forest_head.py` does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import FloatArray
from backend.graph.trees import TreeTables

PIXELS = 1024  # that go down all trees at once: their positions stay in a processor's cache


class Trees(TreeTables[NDArray[Any]]):
    """Walk down trees with NumPy."""

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
