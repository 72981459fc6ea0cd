"""Accept points one after another that are far enough from all those before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from backend.core.arrays import DoubleArray, IntArray
from backend.raster.grid import Grid

LONGITUDE_LATITUDE = CRS.from_string("OGC:CRS84")
# Semi-major axis and squared eccentricity of WGS 84.
AXIS, SQUARED_ECCENTRICITY = 6378137.0, 6.69437999014e-3


def positions(grid: Grid, rows: IntArray, columns: IntArray) -> DoubleArray:
    """Return the centres of pixels as metres in space [n, 3], between which straight distances are those on the ground.

    Without a coordinate system they are in pixels.
    """
    if grid.pixel_metres() is None:
        return np.stack((columns, rows, np.zeros(len(rows))), axis=1).astype(np.float64)
    x, y = coordinates(grid, rows, columns)
    return ground(x, y, grid.crs)


def coordinates(grid: Grid, rows: IntArray, columns: IntArray) -> tuple[DoubleArray, DoubleArray]:
    """Return x and y of the centres of pixels, [n] each."""
    t, c, r = grid.transform, columns + 0.5, rows + 0.5
    return t.a * c + t.b * r + t.c, t.d * c + t.e * r + t.f


def ground(x: DoubleArray, y: DoubleArray, crs: CRS) -> DoubleArray:
    """Return points of a CRS as geocentric metres on WGS 84, [n, 3]."""
    longitude, latitude = (np.radians(each) for each in transform_points(crs, LONGITUDE_LATITUDE, list(x), list(y)))
    radius = AXIS / np.sqrt(1 - SQUARED_ECCENTRICITY * np.sin(latitude) ** 2)
    return np.stack(
        (
            radius * np.cos(latitude) * np.cos(longitude),
            radius * np.cos(latitude) * np.sin(longitude),
            radius * (1 - SQUARED_ECCENTRICITY) * np.sin(latitude),
        ),
        axis=1,
    )


class Spaced:
    """Keep the points accepted so far in cubes of the least distance, so that only neighbours are compared.

    Args:
        distance: Least distance between two points, in the unit of the points; 0 accepts all.
    """

    def __init__(self, distance: float) -> None:
        self._distance = distance
        self._cubes: dict[tuple[int, ...], list[tuple[float, ...]]] = {}

    def accept(self, point: Sequence[float]) -> bool:
        """Return whether a point [3] is far enough from all accepted ones; it then is accepted too."""
        if self._distance <= 0:
            return True
        place = tuple(math.floor(value / self._distance) for value in point)
        for step in itertools.product((-1, 0, 1), repeat=len(place)):
            cube = tuple(a + b for a, b in zip(place, step))
            if any(math.dist(point, other) < self._distance for other in self._cubes.get(cube, ())):
                return False
        self._cubes.setdefault(place, []).append(tuple(point))
        return True
