"""Simplify the borders between patches, each border once, so that there are no gaps or overlaps.

Borders run between the points where three or more patches meet, and these points stay. Between them a border keeps the
points that Douglas and Peucker (1973, Cartographica 10, 112-122) keep, and more where a straight piece would pass
another point on its other side: lines that keep all points of the others on their side don't cross (de Berg, van
Kreveld and Schirra 1998, Cartography and GIS 25, 243-257, for subdivisions).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backend.core.arrays import BoolArray, IntArray
from backend.vectors.corners import CornerMap
from backend.vectors.lines import Lines
from backend.vectors.rings import Rings

Key = tuple[int, int, int]


@dataclass
class Simplifier:
    """Simplify the rings of patches as they become complete.

    Attributes:
        width: Pixels in a row of the map.
        tolerance: Metres by which points may be off a straight piece.
        sides: Width and height of a pixel in metres.
        corners: The points of all borders, which must be known around the rings.
    """

    width: int
    tolerance: float
    sides: tuple[float, float]
    corners: CornerMap
    _done: dict[Key, IntArray] = field(default_factory=dict)  # borders whose other side isn't complete yet

    def rings(self, rings: Rings) -> Rings:
        """Return rings, as `Rings.straightened` gives them, with fewer points."""
        parts: list[list[tuple[Key, bool]]] = []
        new: dict[Key, IntArray] = {}
        used: dict[Key, int] = {}
        for first, last in zip(rings.first[:-1].tolist(), rings.first[1:].tolist()):
            parts.append([])
            for border in _borders(rings.points[first:last]):
                line, turned = _one_way(border)
                key = int(line[0]), int(line[1]), int(line[-1])
                parts[-1].append((key, turned))
                used[key] = used.get(key, 0) + 1
                if key not in self._done:
                    new[key] = line
        if new:
            self._done.update(zip(new, self._simplified(list(new.values()))))
        outlines = [np.concatenate([self._part(key, turned) for key, turned in ring]) for ring in parts]
        for key, count in used.items():
            if count == 2 or key not in new:
                del self._done[key]
        return Rings.join(outlines, self.width)

    def _part(self, key: Key, turned: bool) -> IntArray:
        """Return the points of a border but for its last, with which the next one begins."""
        line = self._done[key]
        return (line[::-1] if turned else line)[:-1]

    def _simplified(self, lines: list[IntArray]) -> list[IntArray]:
        found = Lines(lines, self.width, self.sides, self.corners)
        found.reduce(self.tolerance)
        result = []
        for number, line in enumerate(lines):
            kept = found.kept(number)
            if kept.sum() == 2 and line.size > 2 and line[0] != line[-1] and not self._may_be_straight(line):
                kept = found.kept_with_farthest(number)
            result.append(line[kept])
        return result

    def _may_be_straight(self, line: IntArray) -> bool:
        """Return whether a border may become one straight piece although others may have the same ends.

        If another one became the same piece, the patch between the two would vanish. Both would be free to only if they
        lay on different sides of the piece, so those of one side don't become one; and none does along a row or
        column of corners, where the other may have been straight from the beginning.
        """
        row, column = np.divmod(line >> 1, self.width + 1)
        if row[0] == row[-1] or column[0] == column[-1]:
            return False
        y, x = row - row[0], column - column[0]
        return bool(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) > 0)


def _borders(ring: IntArray) -> list[IntArray]:
    """Cut a ring at the points where borders meet; a ring without any is one border that ends where it begins."""
    nodes = np.flatnonzero(ring & 1)
    begin = int(nodes[0]) if nodes.size else int(np.argmin(ring))
    turned = np.concatenate((ring[begin:], ring[:begin], ring[begin : begin + 1]))
    cuts = (nodes - begin).tolist() if nodes.size else [0]
    return [turned[a : b + 1] for a, b in zip(cuts, [*cuts[1:], ring.size])]


def _one_way(line: IntArray) -> tuple[IntArray, bool]:
    """Return a border in the direction that is the same from both sides, and whether it was turned round."""
    forward: BoolArray | bool = (int(line[0]), int(line[1])) <= (int(line[-1]), int(line[-2]))
    return (line, False) if forward else (line[::-1], True)
