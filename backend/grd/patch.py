"""Choose parts of a map, and interpolate smooth quantities over them: exact at nodes, linear between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, NamedTuple, Protocol

import numpy as np

from backend.grd.ground_control import Positions
from backend.raster.grid import Grid

# Pixels between nodes. In a scene of strong relief, 32 pixels of 10 m add an error of 0.01 samples to the spline
# through the ground control points.
STEP = 32


class Place(NamedTuple):
    """Hold where a map lies in that of the whole product.

    Attributes:
        top: First row of the map, in that of the whole.
        left: First column.
        rows: Rows of the whole.
        columns: Columns of the whole.
        asked: Top, left, height and width of what was asked for, in the map.
    """

    top: int
    left: int
    rows: int
    columns: int
    asked: tuple[int, int, int, int]


def part_of(whole: Grid, asked: Grid, around: int) -> tuple[Grid, Place]:
    """Return the part of the whole grid around what is asked for, and where both lie.

    With pixels around, it begins at a node of the whole map's interpolation: its values are those of the whole map.
    """
    left, top = (round(number) for number in ~whole.transform * (asked.transform.c, asked.transform.f))
    step = STEP if around else 1
    first, begin = (max(0, (number - around) // step * step) for number in (top, left))
    end = min(whole.height, top + asked.height + around)
    last = min(whole.width, left + asked.width + around)
    window = (top - first, left - begin, asked.height, asked.width)
    return whole.offset(first, begin, end - first, last - begin), Place(first, begin, whole.height, whole.width, window)


@dataclass(frozen=True)
class Patch:
    """Hold a rectangle of map pixels.

    Attributes:
        grid: Grid of the whole map.
        top: First row.
        left: First column.
        size: Rows and columns.
    """

    grid: Grid
    top: int
    left: int
    size: tuple[int, int]

    @cached_property
    def _axes(self) -> tuple[Positions, Positions]:
        """Return the rows and columns of the nodes, counted from the corner of the patch."""
        down, across = (np.arange(math.ceil(length / STEP) + 1, dtype=np.float64) * STEP for length in self.size)
        return down, across

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of rows and columns of nodes."""
        down, across = self._axes
        return len(down), len(across)

    def coordinates(self) -> Positions:
        """Return the map coordinates of the nodes, [n, 2], row by row."""
        down, across = self._axes
        columns, rows = np.meshgrid(across + self.left, down + self.top)
        return np.stack(self.grid.transform * (columns.ravel(), rows.ravel()), axis=1)

    def interpolate(self, nodes: Positions, dy: float, dx: float) -> Positions:
        """Interpolate values at the nodes [rows, columns] to the point (dy, dx) inside every pixel, shape `size`."""
        down, across = self._axes
        rows, columns = weights(down, np.arange(self.size[0]) + dy), weights(across, np.arange(self.size[1]) + dx)
        found: Positions = rows @ nodes @ columns.T
        return found


class Located(Protocol):
    """Hold image positions of the pixels of a patch.

    Attributes:
        low: Least sample and line, [2], counted from the outer corner of the first.
        high: Greatest sample and line, [2].
        holes: Whether some pixels have no position.
    """

    low: Positions
    high: Positions
    holes: bool

    def at(self, dy: float, dx: float) -> Positions:
        """Return sample and line [2, rows, columns] of the point (dy, dx) inside every pixel; NaN where unknown."""


class Smooth:
    """Compute image positions by a smooth function of the map coordinates.

    Args:
        patch: Pixels to locate.
        to_image: Maps coordinates [n, 2] to samples and lines [n, 2].
    """

    holes = False

    def __init__(self, patch: Patch, to_image: Callable[[Positions], Positions]) -> None:
        self._patch = patch
        self._nodes = to_image(patch.coordinates()).reshape(*patch.shape, 2)
        self.low, self.high = self._nodes.min(axis=(0, 1)), self._nodes.max(axis=(0, 1))

    def at(self, dy: float, dx: float) -> Positions:
        return np.stack([self._patch.interpolate(self._nodes[..., axis], dy, dx) for axis in (0, 1)])


def weights(nodes: Positions, points: Positions, step: float = STEP) -> Positions:
    """Return linear weights [points, nodes] of the two nodes, `step` apart, around each point."""
    shares: Positions = np.maximum(0, 1 - np.abs(points[:, None] - nodes) / step)
    return shares
