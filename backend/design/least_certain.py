"""Choose places of least certainty that are far from each other, and from the samples that there are.

The least certain pixels alone lie side by side along the borders between classes, and say the same thing over and over.
So among the least certain share of the map, each next place is the one that is farthest from all others and from all
samples (farthest-first traversal, Gonzalez 1985, Theoretical Computer Science 38, 293-306; margin as in Scheffer et al.
2001). `benchmarks.quality.next_samples` compares it with random places.

In one pass over the map, cells keep their least certain pixel, and a histogram the values: memory depends on neither.
"""

from __future__ import annotations

import math

import numpy as np

from backend.core.arrays import DoubleArray, FloatArray, IntArray

# Cells at most; each keeps one candidate.
CELLS = 2**18
BINS = 4096
# Share of the map that counts as least certain.
SHARE = 0.25


class Candidates:
    """Find the least certain pixel of each cell of a raster, from its rows.

    Args:
        height: Rows of the raster.
        width: Columns of the raster.
        span: Least and largest value that may come; others count as the nearer one.
    """

    def __init__(self, height: int, width: int, span: tuple[float, float] = (0.0, 1.0)) -> None:
        self.side = max(1, math.ceil(math.sqrt(height * width / CELLS)))
        self._columns = -(-width // self.side)
        cells = -(-height // self.side) * self._columns
        self._value, self._place = np.full(cells, np.inf, np.float32), np.full(cells, -1, np.int64)
        self._span, self._histogram, self._width = span, np.zeros(BINS, np.int64), width

    @property
    def valid(self) -> int:
        """Return the number of pixels that had a value."""
        return int(self._histogram.sum())

    def add(self, top: int, values: FloatArray) -> None:
        """Take rows into account, float32 [rows, width], low where uncertain; NaN is no data."""
        known = np.isfinite(values)
        low, high = self._span
        bins = ((values[known] - low) * (BINS / (high - low))).astype(np.int64)
        self._histogram += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
        filled = np.where(known, values, np.float32(np.inf))
        for first in range(-(top % self.side), len(values), self.side):
            self._add_cells(top + max(first, 0), filled[max(first, 0) : first + self.side])

    def _add_cells(self, top: int, values: FloatArray) -> None:
        """Take rows of one row of cells."""
        padded = np.full((len(values), self._columns * self.side), np.inf, np.float32)
        padded[:, : self._width] = values
        cells = padded.reshape(len(values), self._columns, self.side).transpose(1, 0, 2).reshape(self._columns, -1)
        at = cells.argmin(axis=1)
        least = cells[np.arange(self._columns), at]
        here = np.arange(self._columns) + top // self.side * self._columns
        better = least < self._value[here]
        place = (top + at // self.side) * self._width + np.arange(self._columns) * self.side + at % self.side
        self._value[here[better]], self._place[here[better]] = least[better], place[better]

    def least(self, share: float) -> tuple[IntArray, IntArray, FloatArray]:
        """Return rows, columns and values of the candidates among the least certain share of the pixels, [n] each.

        Args:
            share: Above 0, to 1.
        """
        reached = int(np.searchsorted(np.cumsum(self._histogram), share * self.valid))
        low, high = self._span
        limit = low + (min(reached, BINS - 1) + 1) * (high - low) / BINS
        kept = (self._place >= 0) & ((self._value <= limit) | (reached >= BINS - 1))
        rows, columns = np.divmod(self._place[kept], self._width)
        return rows, columns, self._value[kept]


def farthest(points: DoubleArray, values: FloatArray, count: int, existing: DoubleArray) -> IntArray:
    """Return the indices of places that are far from each other and from existing ones, in the order of choice.

    Args:
        points: Candidates, [n, dimensions].
        values: Certainty of each; the first place is the least certain one if nothing exists.
        count: Number of places; fewer are returned if candidates run out.
        existing: Samples that there are, [m, dimensions].
    """
    away = np.full(len(points), np.inf)
    for sample in existing:
        np.minimum(away, ((points - sample) ** 2).sum(axis=1), out=away)
    chosen: list[int] = []
    while len(chosen) < min(count, len(points)):
        best = int(values.argmin()) if np.isinf(away).all() else int(away.argmax())
        if away[best] <= 0:
            break
        chosen.append(best)
        np.minimum(away, ((points - points[best]) ** 2).sum(axis=1), out=away)
    return np.array(chosen, dtype=np.int64)
