"""Some pixels of a map, and what varies smoothly over them: known at nodes, linear between these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Protocol

import numpy as np

from backend.grd.ground_control import Positions
from backend.raster.grid import Grid

# Pixels between the nodes. Over a scene of strong relief 32 pixels of 10 m bring an error of 0.01 sample to the spline
# through ground control points.
STEP = 32


@dataclass(frozen=True)
class Patch:
    """Pixels of a map.

    Attributes:
        grid: Of the whole map.
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
        """Rows and columns of the nodes, counted from the patch's own corner."""
        down, across = (np.arange(math.ceil(length / STEP) + 1, dtype=np.float64) * STEP for length in self.size)
        return down, across

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of nodes."""
        down, across = self._axes
        return len(down), len(across)

    def coordinates(self) -> Positions:
        """Of the nodes, in the map's CRS, shape [n, 2], row by row."""
        down, across = self._axes
        columns, rows = np.meshgrid(across + self.left, down + self.top)
        return np.stack(self.grid.transform * (columns.ravel(), rows.ravel()), axis=1)

    def between(self, nodes: Positions, dy: float, dx: float) -> Positions:
        """What nodes [rows, columns] tell of the place (dy, dx) inside every pixel, shape `size`."""
        down, across = self._axes
        rows, columns = _weights(down, np.arange(self.size[0]) + dy), _weights(across, np.arange(self.size[1]) + dx)
        found: Positions = rows @ nodes @ columns.T
        return found


class Located(Protocol):
    """Where an image shows the pixels of a patch.

    Attributes:
        low: Least sample and line, shape [2], counted from the outer corner of the first.
        high: Greatest.
        holes: Whether it isn't known of some pixels.
    """

    low: Positions
    high: Positions
    holes: bool

    def at(self, dy: float, dx: float) -> Positions:
        """Sample and line [2, rows, columns] of the place (dy, dx) inside every pixel; NaN where it isn't known."""


class Smooth:
    """A patch located by a smooth function of the map's coordinates.

    Args:
        patch: Of the map.
        to_image: From coordinates [n, 2] to sample and line [n, 2].
    """

    holes = False

    def __init__(self, patch: Patch, to_image: Callable[[Positions], Positions]) -> None:
        self._patch = patch
        self._nodes = to_image(patch.coordinates()).reshape(*patch.shape, 2)
        self.low, self.high = self._nodes.min(axis=(0, 1)), self._nodes.max(axis=(0, 1))

    def at(self, dy: float, dx: float) -> Positions:
        """See `Located`."""
        return np.stack([self._patch.between(self._nodes[..., axis], dy, dx) for axis in (0, 1)])


def _weights(nodes: Positions, places: Positions) -> Positions:
    """Shares [places, nodes] of the two nodes around each place."""
    shares: Positions = np.maximum(0, 1 - np.abs(places[:, None] - nodes) / STEP)
    return shares
