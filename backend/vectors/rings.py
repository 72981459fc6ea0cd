"""Make polygons from outlines: points on straight lines go, coordinates come, and holes follow their outer ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray, IntArray

Coordinates = NDArray[np.float64]


@dataclass(frozen=True)
class Polygon:
    """Hold a patch as a polygon.

    Attributes:
        patch: Its number.
        rings: Closed rings of x, y, float64 [points, 2]: the outer one, then holes.
    """

    patch: int
    rings: list[Coordinates]

    def bounds(self) -> tuple[float, float, float, float]:
        """Return xmin, ymin, xmax, ymax."""
        low, high = self.rings[0].min(axis=0), self.rings[0].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True)
class Rings:
    """Hold outlines, one after another.

    Attributes:
        points: As `Tracer` numbers them.
        first: Index of the first point of each outline, and the number of points.
        width: Pixels in a row of the map.
    """

    points: IntArray
    first: IntArray
    width: int

    @staticmethod
    def join(outlines: Sequence[IntArray], width: int) -> Rings:
        """Put outlines after each other."""
        first = np.concatenate(([0], np.cumsum([outline.size for outline in outlines]))).astype(np.int64)
        return Rings(np.concatenate(outlines), first, width)

    def rows_columns(self) -> tuple[IntArray, IntArray]:
        """Return the row and the column of the corner that each point is."""
        corner = self.points >> 1
        return corner // (self.width + 1), corner % (self.width + 1)

    def straightened(self) -> Rings:
        """Leave out points on straight lines, but for those where three or more borders meet."""
        row, column = self.rows_columns()
        before, after = self._neighbours()
        straight = ((row[before] == row) & (row == row[after])) | (
            (column[before] == column) & (column == column[after])
        )
        kept: BoolArray = ~straight | ((self.points & 1) == 1)
        number = np.concatenate(([0], np.cumsum(kept)))
        return Rings(self.points[kept], number[self.first], self.width)

    def areas(self) -> DoubleArray:
        """Return the area of each ring in pixels: positive for outer rings, negative for holes."""
        row, column = self.rows_columns()
        _, after = self._neighbours()
        twice = column * row[after] - column[after] * row
        areas: DoubleArray = np.add.reduceat(twice, self.first[:-1]) / 2
        return areas

    def _neighbours(self) -> tuple[IntArray, IntArray]:
        """Return the index of the point before and after each point in its ring."""
        index = np.arange(self.points.size)
        before, after = index - 1, index + 1
        before[self.first[:-1]], after[self.first[1:] - 1] = self.first[1:] - 1, self.first[:-1]
        return before, after


def polygons(patches: Sequence[int], areas: DoubleArray, rings: Rings, transform: Affine) -> list[Polygon]:
    """Make the polygons of complete patches, in their order.

    Args:
        patches: Patch of each ring.
        areas: Area of each ring, as `Rings.areas` gives them.
        rings: The outlines.
        transform: Transform from (column, row) to coordinates.

    Returns:
        Polygons whose outer ring is counter-clockwise and whose holes are clockwise (RFC 7946, section 3.1.6).
    """
    row, column = rings.rows_columns()
    x = transform.a * column + transform.b * row + transform.c
    y = transform.d * column + transform.e * row + transform.f
    coordinates = np.stack((x, y), axis=1)
    # Outer rings run clockwise on a screen, and so in coordinates whose y grows upwards.
    step = -1 if transform.determinant < 0 else 1
    found: list[Polygon] = []
    order = np.lexsort((-areas, np.asarray(patches)))
    for index in order.tolist():
        first, last = int(rings.first[index]), int(rings.first[index + 1])
        ring = coordinates[first:last][::step]
        closed = np.concatenate((ring, ring[:1]))
        if not found or found[-1].patch != patches[index]:
            found.append(Polygon(int(patches[index]), [closed]))
        else:
            found[-1].rings.append(closed)
    return found
