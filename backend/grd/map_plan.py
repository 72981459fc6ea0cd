"""Choose the map grid of a product, and locate its pixels in the image by the geolocation grid of the annotation.

Pixels are located by a thin-plate spline, which passes through every ground control point. The heights of these points
follow the terrain, so that a polynomial of second order, GDAL's default, misses the 210 points of a real scene over the
Western Ghats by 108 m (root mean square; 191 m at most). Between the points the terrain is unknown: ground h metres
above the annotated height is displaced by about h / tan(incidence) towards the radar. With an elevation model, the
points only give the outline of the map, and `terrain/relief.py` locates each pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import from_origin

from backend.core.errors import InputError
from backend.grd.damage import DamagedProductError
from backend.grd.ground_control import Positions, spline, tied_points, transformed
from backend.grd.patch import Located, Patch, Place, Smooth, part_of
from backend.grd.product import Channel
from backend.grd.terrain.relief import Terrain
from backend.raster.grid import DEGREES, Grid

# Points along each edge in the outline of an image or an extent.
EDGE = 65
# Image samples added around an extent, for interpolation and for the error of its outline.
EXTRA = 32
# Metres around the outline of an image in which heights count: no relief displaces ground by more.
MARGIN = 20_000.0


@dataclass(frozen=True)
class MapPlan:
    """Hold the map grid, the part of the image that it needs, and the mapping between both.

    Attributes:
        grid: Map grid.
        to_image: Maps coordinates [n, 2] in the grid's CRS to (sample, line) in the part of the image, counted from
            the outer corner of its first sample.
        to_ground: Maps (sample, line) in the whole image to coordinates in the grid's CRS, at the annotated heights.
        top: First line of the part.
        left: First sample of the part.
        height: Lines of the part.
        width: Samples of the part.
        subsamples: Points across and down a pixel whose mean is its value: as many as it has samples or lines.
        terrain: Locates pixels by their height; None to use `to_image`.
        place: Where the grid lies in that of the whole product, and what was asked for in the grid.
    """

    grid: Grid
    to_image: Callable[[Positions], Positions]
    to_ground: Callable[[Positions], Positions]
    top: int
    left: int
    height: int
    width: int
    subsamples: tuple[int, int]
    terrain: Terrain | None
    place: Place

    def mesh(self, count: int) -> Positions:
        """Return points of a grid of `count` x `count` over the map that lie inside the image, [n, 2]."""
        shares = (np.arange(count) + 0.5) / count
        columns, rows = np.meshgrid(shares * self.grid.width, shares * self.grid.height)
        points = np.stack(self.grid.transform * (columns.ravel(), rows.ravel()), axis=1)
        image = self.to_image(points)
        shown: Positions = points[((image >= 0) & (image <= (self.width, self.height))).all(axis=1)]
        return shown if len(shown) else points

    def locate(self, patch: Patch) -> Located:
        """Locate the pixels of a patch in the part of the image."""
        if self.terrain is None:
            return Smooth(patch, self.to_image)
        return self.terrain.locate(patch, np.array([self.left, self.top], dtype=np.float64))


def plan_map(
    channel: Channel, pixel_size: float, extent: Sequence[float] | None, terrain: Terrain | None = None, around: int = 0
) -> MapPlan:
    """Choose the CRS (the UTM zone of the middle) and a north-up grid with edges at multiples of the pixel size.

    Args:
        channel: One polarisation.
        pixel_size: Pixel size in metres.
        extent: West, south, east and north in degrees; None for the whole product.
        terrain: Locates pixels by their height; None to use the geolocation grid alone.
        around: Least number of pixels of the whole map that are planned around the extent.

    Raises:
        InputError: The geolocation grid is damaged, or extent or elevation model lie outside the product.
    """
    shape = channel.shape
    image, ground, crs = tied_points(channel.annotation, shape)
    rim = _outline(0, 0, shape[1], shape[0])
    forward = spline(image, ground)
    outline = forward(rim)
    backward = spline(ground, image)
    low, high = outline.min(axis=0), outline.max(axis=0)
    _check_size(channel, low, high)
    subsamples = _subsamples(backward, ground.mean(axis=0), pixel_size, channel.spacings)
    heights = []
    if terrain is not None:
        heights = list(_span(terrain, crs, low - MARGIN, high + MARGIN, extent))
        outline = np.concatenate([_outline_at_height(terrain, crs, forward, rim, height) for height in heights])
        low, high = outline.min(axis=0), outline.max(axis=0)
    grid, box = _grid(crs, low, high, pixel_size), (0, 0, *shape)
    place = Place(0, 0, grid.height, grid.width, (0, 0, grid.height, grid.width))
    if extent is not None:
        low, high = _within(extent, crs, low, high)[:2]
        grid, place = part_of(grid, _grid(crs, low, high, pixel_size), around)
        edge = _outline(*grid.transform * (0, grid.height), *grid.transform * (grid.width, 0))
        found = [terrain.positions(crs, edge, height) for height in heights] if terrain else [backward(edge)]
        box = _box(np.concatenate(found), shape)
        if box[2] <= 0 or box[3] <= 0:
            raise _outside(extent)
    corner = np.array([box[1], box[0]], dtype=np.float64)
    return MapPlan(grid, lambda points: backward(points) - corner, forward, *box, subsamples, terrain, place)


def _grid(crs: CRS, low: Positions, high: Positions, pixel_size: float) -> Grid:
    """Return the grid of whole pixels over a rectangle."""
    low, high = np.floor(low / pixel_size + 1e-6), np.ceil(high / pixel_size - 1e-6)
    columns, rows = (int(n) for n in high - low)
    return Grid(crs, from_origin(low[0] * pixel_size, high[1] * pixel_size, pixel_size, pixel_size), columns, rows)


def _subsamples(
    backward: Callable[[Positions], Positions], middle: Positions, pixel_size: float, spacings: tuple[float, float]
) -> tuple[int, int]:
    """Return how many samples or lines a pixel spans across and down, by the direction of its sides in the image."""
    corners = middle + pixel_size * np.array([(0, 0), (1, 0), (0, 1)])
    at = backward(corners) * spacings
    sides = at[1:] - at[0]
    directions = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), np.finfo(float).tiny)
    # Rounded twice: with equal spacings, an exact half stays one whatever the heading of the image.
    across, down = np.round(pixel_size * np.linalg.norm(directions / spacings, axis=1), 6)
    return max(1, round(across)), max(1, round(down))


def _outline_at_height(
    terrain: Terrain, crs: CRS, forward: Callable[[Positions], Positions], outline: Positions, height: float
) -> Positions:
    """Return the map coordinates [n, 2] of image positions on ground at a height.

    A fixed-point iteration: the displacement by relief, measured by the spline, is subtracted. Three steps converge to
    metres.
    """
    points = start = forward(outline)
    for _ in range(3):
        points = points + start - forward(terrain.positions(crs, points, height))
    return points


def _span(
    terrain: Terrain, crs: CRS, low: Positions, high: Positions, extent: Sequence[float] | None
) -> tuple[float, float]:
    """Return the lowest and the highest height in a rectangle of the map, or in the part that an extent covers."""
    edge = _outline(*low, *high) if extent is None else _within(extent, crs, low, high)[2]
    return terrain.span(crs, edge)


def _outline(left: float, top: float, right: float, bottom: float) -> Positions:
    """Return points along the sides of a rectangle, [n, 2]."""
    x, y = np.linspace(left, right, EDGE), np.linspace(top, bottom, EDGE)
    sides = [(x, np.full(EDGE, top)), (x, np.full(EDGE, bottom)), (np.full(EDGE, left), y), (np.full(EDGE, right), y)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def _check_size(channel: Channel, low: Positions, high: Positions) -> None:
    """Refuse ground control points that span more than the image: their grid would fill the disk."""
    size = [count * spacing for count, spacing in zip(reversed(channel.shape), channel.spacings)]
    # A rectangle on its corner fills half of its bounding box; polar grids stretch it a little more.
    longest = 1.5 * math.hypot(*size)
    if not 0 < longest < 5e6 or (high - low > longest).any():
        wide, tall = (float(n) / 1000 for n in high - low)
        raise DamagedProductError(
            f"{channel.annotation.name}: the ground control points span {wide:.4g} x {tall:.4g} km, the image "
            f"{size[0] / 1000:.4g} x {size[1] / 1000:.4g} km."
        )


def _within(
    extent: Sequence[float], crs: CRS, low: Positions, high: Positions
) -> tuple[Positions, Positions, Positions]:
    """Return both corners of the part of the map that an extent covers, and its outline [n, 2]."""
    west, south, east, north = extent
    if not all(map(math.isfinite, extent)) or west >= east or south >= north or max(abs(south), abs(north)) > 90:
        raise InputError(
            f"The extent {west:g} {south:g} {east:g} {north:g} is empty, or not in degrees.",
            "For a Sentinel-1 product, give west, south, east and north in degrees.",
        )
    edge = transformed(DEGREES, crs, _outline(west, south, east, north))
    if not np.isfinite(edge).all():
        raise _outside(extent)
    low, high = np.maximum(low, edge.min(axis=0)), np.minimum(high, edge.max(axis=0))
    if (low >= high).any():
        raise _outside(extent)
    return low, high, _outline(low[0], low[1], high[0], high[1])


def _box(positions: Positions, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return top, left, height and width of the part of the image around image positions."""
    left, top = np.maximum(np.floor(positions.min(axis=0)) - EXTRA, 0).astype(int)
    right, bottom = np.minimum(np.ceil(positions.max(axis=0)) + EXTRA, (shape[1], shape[0])).astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)


def _outside(extent: Sequence[float]) -> InputError:
    return InputError(
        f"The extent {' '.join(f'{value:g}' for value in extent)} lies outside the product.",
        "For a Sentinel-1 product, give west, south, east and north in degrees.",
    )
