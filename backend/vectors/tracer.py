"""Trace the outlines of patches through the strips of a map; outlines that strips cut are joined across them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.arrays import BoolArray, IntArray
from backend.vectors.labelling import Labels
from backend.vectors.pixel_corners import PixelCorners
from backend.vectors.segments import Segments, find_segments, successors


@dataclass
class _Open:
    """Hold an outline that continues below: its points so far, and the columns of both of its ends."""

    label: int
    begin: int
    end: int
    points: list[IntArray]


class Tracer:
    """Trace outlines. Memory depends on the width of the map and the length of the outlines that are not complete.

    A point is one number: (row * (width + 1) + column) * 2, plus 1 where three or more borders meet.

    Args:
        width: Pixels in a row of the map.
        nodes: Whether outlines get a point, marked as such, wherever three or more borders meet.
    """

    def __init__(self, width: int, nodes: bool) -> None:
        self._width, self._nodes = width, nodes
        self._open: list[_Open] = []
        self._above: Labels = np.zeros(width, np.int32)

    def add(self, labels: Labels, top: int, last: bool) -> tuple[list[tuple[int, IntArray]], PixelCorners]:
        """Trace the outlines in a strip.

        Args:
            labels: Patch of each pixel, [rows, width]; 0 is none.
            top: First row of the strip.
            last: Whether it is the last strip.

        Returns:
            Patch and points of each outline that became complete, with the patch on the right hand and points on
            straight lines where a strip began; and the lattice of the strip's corners.
        """
        rows = labels.shape[0] + last
        padded = np.zeros((labels.shape[0] + 2, self._width + 2), np.int32)
        padded[0, 1:-1], padded[1:-1, 1:-1] = self._above, labels
        lattice = PixelCorners.of(padded[: rows + 1])
        breaks = lattice.nodes() if self._nodes else None
        segments = Segments.join([self._carried(), *find_segments(padded, rows, breaks)])
        following = successors(segments, lattice, rows * (self._width + 1))
        points = self._points(segments.start, top, breaks)
        self._above = labels[-1].copy()
        return self._chains(segments, following, points, rows), lattice

    def _carried(self) -> Segments:
        begin, end, label = (
            np.array([getattr(item, name) for item in self._open], np.int64) for name in ("begin", "end", "label")
        )
        return Segments.going(begin, end, label, "south", "north")

    def _points(self, corners: IntArray, top: int, breaks: BoolArray | None) -> IntArray:
        points = (top * (self._width + 1) + corners) << 1
        if breaks is not None:
            # Corners below the strip are followed with the next strip.
            inside = corners < breaks.size
            points[inside] |= breaks.ravel()[corners[inside]]
        for index, item in enumerate(self._open):
            item.points[0][0] = points[index]
        return points

    def _chains(
        self, segments: Segments, following: IntArray, points: IntArray, rows: int
    ) -> list[tuple[int, IntArray]]:
        """Follow the pieces; keep chains that go on below, and return those that are closed."""
        order, bounds, count = _ordered(following)
        carried, width = self._open, self._width + 1
        special = np.flatnonzero(order < len(carried))
        cuts = np.searchsorted(special, bounds)
        ordered = points[order]
        self._open, closed = [], []
        for number, (first, last) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist())):
            pieces, at = [], first
            for place in special[cuts[number] : cuts[number + 1]].tolist():
                pieces += [ordered[at:place], *carried[order[place]].points]
                at = place + 1
            pieces.append(ordered[at:last])
            label = int(segments.label[order[first]])
            if number < count:
                begin, end = int(segments.start[order[first]]), int(segments.end[order[last - 1]])
                kept = [np.concatenate(pieces)] if len(pieces) > 1 else [pieces[0].copy()]
                self._open.append(_Open(label, begin - rows * width, end - rows * width, kept))
            else:
                closed.append((label, np.concatenate(pieces) if len(pieces) > 1 else pieces[0].copy()))
        return closed


def _ordered(following: IntArray) -> tuple[IntArray, IntArray, int]:
    """Put the pieces of each chain after each other.

    Returns:
        Indices of the pieces, chain after chain, the open ones first; where each chain begins, and the last one ends;
        and the number of open chains.
    """
    led_to = np.zeros(following.size, bool)
    led_to[following[following >= 0]] = True
    after, seen = following.tolist(), bytearray(following.size)
    order: list[int] = []
    bounds = [0]
    begins = np.flatnonzero(~led_to).tolist()
    for group in (begins, range(following.size)):
        for begin in group:
            if seen[begin]:
                continue
            at = begin
            while at >= 0 and not seen[at]:
                seen[at] = 1
                order.append(at)
                at = after[at]
            bounds.append(len(order))
    return np.array(order, np.int64), np.array(bounds, np.int64), len(begins)
