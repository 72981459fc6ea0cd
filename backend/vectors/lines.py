"""Reduce the points of many lines at once, by Douglas and Peucker's rule and without passing points of other lines."""

from __future__ import annotations

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.vectors.corners import CornerMap

# A closed line of so few points stays: it is a rectangle.
FEW = 5


class Lines:
    """Hold lines of pixel corners, one after another.

    Args:
        lines: Points of each, as `Tracer` numbers them, two or more; a closed one ends where it begins.
        width: Pixels in a row of the map.
        sides: Width and height of a pixel in metres.
        corners: Points of all borders.
    """

    def __init__(self, lines: list[IntArray], width: int, sides: tuple[float, float], corners: CornerMap) -> None:
        self._first = np.concatenate(([0], np.cumsum([line.size for line in lines]))).astype(np.int64)
        corner = np.concatenate(lines) >> 1
        self._row, self._column = corner // (width + 1), corner % (width + 1)
        self._x, self._y = self._column * sides[0], self._row * sides[1]
        self._corners = corners
        self._kept = np.zeros(corner.size, bool)

    def kept(self, number: int) -> BoolArray:
        """Return which points of a line are kept."""
        return self._kept[self._first[number] : self._first[number + 1]]

    def kept_with_farthest(self, number: int) -> BoolArray:
        """Keep the point of a line that is farthest from the straight piece between its ends too."""
        first, last = self._first[number : number + 1], self._first[number + 1 : number + 2] - 1
        _, place = self._farthest(first, last)
        self._split_until_clear(int(first[0]), int(place[0]))
        self._split_until_clear(int(place[0]), int(last[0]))
        self._kept[place] = True
        return self.kept(number)

    def reduce(self, tolerance: float) -> None:
        """Choose the points to keep: no other point of a line is farther than `tolerance` from its straight pieces."""
        begin, end = self._first[:-1], self._first[1:] - 1
        self._kept[begin] = self._kept[end] = True
        begin, end = self._anchored(begin, end)
        while begin.size:
            begin, end = (part[end - begin > 1] for part in (begin, end))
            if not begin.size:
                break
            distance, place = self._farthest(begin, end)
            far = distance > tolerance
            for index in np.flatnonzero(~far).tolist():
                far[index] = not self._clear(int(begin[index]), int(end[index]))
            self._kept[place[far]] = True
            begin, end = (
                np.concatenate((begin[far], place[far])),
                np.concatenate((place[far], end[far])),
            )

    def _anchored(self, begin: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
        """Keep three points of closed lines, which are no area otherwise, and all points of rectangles."""
        closed = (self._row[begin] == self._row[end]) & (self._column[begin] == self._column[end])
        small = closed & (end - begin < FEW)
        for first, last in zip(begin[small].tolist(), end[small].tolist()):
            self._kept[first : last + 1] = True
        large = closed & ~small
        first, last = begin[large], end[large]
        if not first.size:
            return begin[~closed], end[~closed]
        _, far = self._farthest(first, last)
        sides = [self._farthest(first, far), self._farthest(far, last)]
        # The point farthest from the line between the two, on whichever side of the ring it is.
        left = sides[0][0] >= sides[1][0]
        third = np.where(left, sides[0][1], sides[1][1])
        self._kept[far] = self._kept[third] = True
        low, high = np.minimum(far, third), np.maximum(far, third)
        return np.concatenate((begin[~closed], first, low, high)), np.concatenate((end[~closed], low, high, last))

    def _farthest(self, begin: IntArray, end: IntArray) -> tuple[DoubleArray, IntArray]:
        """Return distance and index of the point between `begin` and `end` that is farthest from their straight piece.

        Pieces without a point between have distance 0.
        """
        inner = np.maximum(end - begin - 1, 0)
        total = int(inner.sum())
        distance, place = np.zeros(begin.size), begin.copy()
        if not total:
            return distance, place
        has = np.flatnonzero(inner)
        starts = np.concatenate(([0], np.cumsum(inner[has])))
        piece = np.repeat(has, inner[has])
        point = np.arange(total) - np.repeat(starts[:-1], inner[has]) + begin[piece] + 1
        off = self._distances(point, begin[piece], end[piece])
        most = np.maximum.reduceat(off, starts[:-1])
        # The first of those that are equally far.
        hit = np.flatnonzero(off == np.repeat(most, inner[has]))
        which, first = np.unique(piece[hit], return_index=True)
        distance[which], place[which] = off[hit[first]], point[hit[first]]
        return distance, place

    def _distances(self, point: IntArray, begin: IntArray, end: IntArray) -> DoubleArray:
        """Return the distance of points from the straight pieces between two others, ends included."""
        dx, dy = self._x[end] - self._x[begin], self._y[end] - self._y[begin]
        px, py = self._x[point] - self._x[begin], self._y[point] - self._y[begin]
        square = dx * dx + dy * dy
        along = np.clip((px * dx + py * dy) / np.where(square > 0, square, 1.0), 0.0, 1.0)
        found: DoubleArray = np.hypot(px - along * dx, py - along * dy)
        return found

    def _clear(self, begin: int, end: int) -> bool:
        """Return whether no point of any border lies between a part of a line and its straight piece, or on that."""
        row, column = self._row[begin : end + 1], self._column[begin : end + 1]
        rows, columns = (int(row.min()), int(row.max())), (int(column.min()), int(column.max()))
        y, x = self._corners.within(rows, columns)
        if y.size <= row.size:
            return True
        own = set(zip(row.tolist(), column.tolist()))
        others = [(v, u) for v, u in zip(y.tolist(), x.tolist()) if (v, u) not in own]
        if not others:
            return True
        py, px = np.array(others).T
        return not bool(np.any(_enclosed(px, py, column, row)))

    def _split_until_clear(self, begin: int, end: int) -> None:
        """Keep points of a part of a line until none of its straight pieces passes another border."""
        todo = [(begin, end)]
        while todo:
            first, last = todo.pop()
            if last - first > 1 and not self._clear(first, last):
                _, place = self._farthest(np.array([first]), np.array([last]))
                self._kept[place] = True
                todo += [(first, int(place[0])), (int(place[0]), last)]


def _enclosed(px: IntArray, py: IntArray, x: IntArray, y: IntArray) -> BoolArray:
    """Return whether points lie within a closed line (its winding number isn't 0), or on its last piece."""
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    side = (x2 - x) * (py[:, None] - y) - (px[:, None] - x) * (y2 - y)
    rising = (y <= py[:, None]) & (y2 > py[:, None]) & (side > 0)
    falling = (y > py[:, None]) & (y2 <= py[:, None]) & (side < 0)
    winding = rising.sum(axis=1) - falling.sum(axis=1)
    low, high = np.minimum(x[-1], x[0]), np.maximum(x[-1], x[0])
    within = (px >= low) & (px <= high) & (py >= min(y[-1], y[0])) & (py <= max(y[-1], y[0]))
    found: BoolArray = (winding != 0) | ((side[:, -1] == 0) & within)
    return found
