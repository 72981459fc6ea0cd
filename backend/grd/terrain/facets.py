"""Cut terrain into facets, and compute how a radar sees them.

Everything but the height is a smooth function of place and height. So positions, directions and areas are computed
exactly at nodes for three heights, and interpolated linearly between the nodes and quadratically in the height.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rasterio.crs import CRS
from scipy.ndimage import distance_transform_edt, map_coordinates

from backend.core.arrays import BoolArray, DoubleArray
from backend.grd.ground_control import Positions
from backend.grd.patch import weights
from backend.grd.terrain.elevation import Heights
from backend.grd.terrain.range_doppler import earth_fixed
from backend.grd.terrain.relief import LEAST, Terrain


class Seen(NamedTuple):
    """Hold image positions, angles and facet areas at nodes of one height, [n, m] each.

    The area of a facet, projected on the plane perpendicular to the line of sight (Small 2011, figure 3), is
    flat + along * (rise from line to line) + across * (rise from sample to sample), in square metres.

    Attributes:
        sample: Smooth image position, across.
        line: Image position, along.
        angle: Between the line of sight and the satellite's nadir, in radians.
        flat: Projected area of a level facet.
        along: Projected area for a metre of rise from one row to the next.
        across: Projected area for a metre of rise from one column to the next.
        beta: Area of a sample in the slant plane: that on which beta nought is based.
        row: Squared length of a facet's side from column to column.
        column: Squared length of its side from row to row.
        skew: Scalar product of both sides.
    """

    sample: DoubleArray
    line: DoubleArray
    angle: DoubleArray
    flat: DoubleArray
    along: DoubleArray
    across: DoubleArray
    beta: DoubleArray
    row: DoubleArray
    column: DoubleArray
    skew: DoubleArray


class Facets:
    """Compute facets between the points of a grid, which is nearly rectangular on the ground.

    Args:
        terrain: Geometry and heights.
        crs: CRS of the nodes.
        nodes: Map coordinates of every `step`-th point of the grid, [n, m, 2], with n and m of 3 or more.
        step: Points from node to node.
        size: Rows and columns of facets; points are one more.

    Attributes:
        height: Heights of the points in metres, [rows + 1, columns + 1]; holes are filled from their neighbours.
        known: Which facets have heights at all corners, [rows, columns].
    """

    def __init__(self, terrain: Terrain, crs: CRS, nodes: Positions, step: int, size: tuple[int, int]) -> None:
        self._nodes = [np.arange(count, dtype=np.float64) * step for count in nodes.shape[:2]]
        self._step, self._size = step, size
        self.height, points = self._heights(terrain, crs, nodes)
        self.known: BoolArray = points[:-1, :-1] & points[1:, :-1] & points[:-1, 1:] & points[1:, 1:]
        low, high = float(self.height.min()), float(self.height.max())
        middle, half = (low + high) / 2, max((high - low) / 2, LEAST)
        self._scaled = (self.height - middle) / half
        below, at, above = (_seen(terrain, crs, nodes, step, middle + share * half) for share in (-1, 0, 1))
        self._terms = {
            name: (getattr(at, name), (getattr(above, name) - getattr(below, name)) / 2,
                   (getattr(above, name) + getattr(below, name)) / 2 - getattr(at, name))
            for name in Seen._fields
        }  # fmt: skip

    def _heights(self, terrain: Terrain, crs: CRS, nodes: Positions) -> tuple[DoubleArray, BoolArray]:
        """Read heights of the points in metres, and which of them are known."""
        pixels = terrain.elevation.pixels(crs, nodes.reshape(-1, 2))
        top, left, bottom, right = terrain.elevation.window(pixels)
        shape = self._size[0] + 1, self._size[1] + 1
        if top >= bottom or left >= right:
            return np.full(shape, terrain.level), np.zeros(shape, dtype=bool)
        heights = terrain.elevation.read(top, left, bottom, right)
        there = np.isfinite(heights)
        if not there.any():
            return np.full(shape, terrain.level), np.zeros(shape, dtype=bool)
        own = pixels.reshape(*nodes.shape[:2], 2) - (left, top) - 0.5
        at = np.stack([self._between(own[..., axis], 0.0) for axis in (1, 0)])
        found: DoubleArray = map_coordinates(_filled(heights, there), at, order=1, mode="nearest", output=np.float64)
        if there.all():
            rows, columns = heights.shape
            inside = (at[0] >= -0.5) & (at[0] <= rows - 0.5) & (at[1] >= -0.5) & (at[1] <= columns - 0.5)
            return found, inside
        share = map_coordinates(there.astype(np.float32), at, order=1, mode="constant")
        return found, share > 1 - 1e-3

    def _between(self, values: DoubleArray, offset: float) -> DoubleArray:
        """Interpolate node values to the points (offset 0) or to the middles of the facets (offset 0.5)."""
        more = 0 if offset else 1
        down, across = (
            weights(nodes, np.arange(count + more) + offset, self._step)
            for nodes, count in zip(self._nodes, self._size)
        )
        found: DoubleArray = down @ values @ across.T
        return found

    def points(self, name: str) -> DoubleArray:
        """Return an attribute of `Seen` at the points, [rows + 1, columns + 1]."""
        return self._value(name, self._scaled, 0.0)

    def middles(self, name: str) -> DoubleArray:
        """Return an attribute of `Seen` in the middle of the facets, [rows, columns]."""
        return self._value(name, mean_of_corners(self._scaled), 0.5)

    def _value(self, name: str, scaled: DoubleArray, offset: float) -> DoubleArray:
        fixed, linear, square = (self._between(term, offset) for term in self._terms[name])
        found: DoubleArray = fixed + scaled * (linear + scaled * square)
        return found

    def rises(self) -> tuple[DoubleArray, DoubleArray]:
        """Return the rise in metres of the facets from row to row, and from column to column, [rows, columns] each."""
        down, across = np.diff(self.height, axis=0), np.diff(self.height, axis=1)
        return (down[:, :-1] + down[:, 1:]) / 2, (across[:-1] + across[1:]) / 2

    def projected(self) -> DoubleArray:
        """Return the area of the facets seen by the radar in square metres; below 0 if it sees their underside."""
        along, across = self.rises()
        found: DoubleArray = (
            self.middles("flat") + along * self.middles("along") + across * self.middles("across")
        )  # fmt: skip
        return found

    def area(self) -> DoubleArray:
        """Return the area of the facets on the ground, in square metres."""
        along, across = self.rises()
        row, column, skew = (self.middles(name) for name in ("row", "column", "skew"))
        squared = row * column - skew**2 + along**2 * row - 2 * along * across * skew + across**2 * column
        found: DoubleArray = np.sqrt(squared)
        return found


def mean_of_corners(values: DoubleArray) -> DoubleArray:
    """Return the mean of the four corners of each cell, [rows - 1, columns - 1]."""
    found: DoubleArray = (values[:-1, :-1] + values[1:, :-1] + values[:-1, 1:] + values[1:, 1:]) / 4
    return found


def _filled(heights: Heights, there: BoolArray) -> Heights:
    """Fill points without a height from the nearest one with a height."""
    if there.all():
        return heights
    rows, columns = distance_transform_edt(~there, return_distances=False, return_indices=True)
    found: Heights = heights[rows, columns]
    return found


def _seen(terrain: Terrain, crs: CRS, nodes: Positions, step: int, height: float) -> Seen:
    """Compute how the nodes at a height are seen."""
    shape = nodes.shape[:2]
    degrees, heights = terrain.places(crs, nodes.reshape(-1, 2), height)
    flat_points = earth_fixed(degrees, heights)
    view = terrain.geometry.view(flat_points)
    points, satellite = flat_points.reshape(*shape, 3), view.satellite.reshape(*shape, 3)
    image = view.image.reshape(*shape, 2)
    away = satellite - points
    sight = away / np.linalg.norm(away, axis=2, keepdims=True)
    longitude, latitude = np.radians(degrees.reshape(*shape, 2)).transpose(2, 0, 1)
    up = np.stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)), axis=2
    )
    column, row = (np.gradient(points, step, axis=axis, edge_order=2) for axis in (0, 1))
    normal = np.cross(row, column)
    sign = np.sign(_dot(normal, up))[..., None]
    down, across = (np.gradient(image, step, axis=axis, edge_order=2) for axis in (0, 1))
    cells = np.abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])
    flat = _dot(sign * normal, sight)
    nadir = satellite / np.linalg.norm(satellite, axis=2, keepdims=True)
    return Seen(
        sample=image[..., 0],
        line=image[..., 1],
        angle=np.arccos(_dot(sight, nadir)),
        flat=flat,
        along=_dot(sign * np.cross(row, up), sight),
        across=_dot(sign * np.cross(up, column), sight),
        # On level ground a sample in the slant plane is the sine of the incidence angle times its area.
        beta=np.linalg.norm(np.cross(sight, normal), axis=2) / cells,
        row=_dot(row, row),
        column=_dot(column, column),
        skew=_dot(row, column),
    )


def _dot(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    found: DoubleArray = (first * second).sum(axis=2)
    return found
