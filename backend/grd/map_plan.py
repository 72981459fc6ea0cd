"""Where the pixels of a map grid lie in an image, by the ground control points of its annotation.

A thin-plate spline, which passes through every point: their heights above the ellipsoid follow the terrain from line to
line, so that GDAL's own choice, a polynomial of second order, misses the 210 points of a real scene over the Western
Ghats by 108 m (root mean square) and 191 m at most. Between the points the terrain isn't known: a place h metres above
the height annotated there is shown about h / tan(incidence) too near to the radar. With an elevation model the points
only tell about where the map lies; where each pixel comes from is then found by `terrain.py`.
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
from backend.grd.ground_control import Positions, choose_crs, read_points, spline, transformed
from backend.grd.patch import Located, Patch, Smooth
from backend.grd.product import Channel
from backend.grd.terrain import Terrain
from backend.raster.grid import DEGREES, Grid

# Positions along each edge by which the outlines of an image and of an extent are drawn.
EDGE = 65
# Image samples around an extent, for interpolation and for what an outline misses.
SLACK = 32
# Metres around the outline of an image in which heights are looked for: a place as high as any lies less beyond it.
REACH = 20_000.0


@dataclass(frozen=True)
class MapPlan:
    """Where the pixels come from, and where they go.

    Attributes:
        grid: Map grid.
        to_image: From coordinates [n, 2] in the grid's CRS to positions (sample, line) in the part of the image below,
            counted from the outer corner of its first sample.
        top: First line of the image that is needed; so for the others.
        left: First sample.
        height: Lines.
        width: Samples.
        places: Places across and down a pixel of which its value is the mean: as many as it has samples or lines.
        terrain: By which pixels are located; None for `to_image`.
    """

    grid: Grid
    to_image: Callable[[Positions], Positions]
    top: int
    left: int
    height: int
    width: int
    places: tuple[int, int]
    terrain: Terrain | None = None

    def mesh(self, count: int) -> Positions:
        """Places on the map that the image shows, of `count` along each side, shape [n, 2]."""
        shares = (np.arange(count) + 0.5) / count
        columns, rows = np.meshgrid(shares * self.grid.width, shares * self.grid.height)
        places = np.stack(self.grid.transform * (columns.ravel(), rows.ravel()), axis=1)
        image = self.to_image(places)
        shown: Positions = places[((image >= 0) & (image <= (self.width, self.height))).all(axis=1)]
        return shown if len(shown) else places

    def locate(self, patch: Patch) -> Located:
        """Where the part of the image shows some pixels."""
        if self.terrain is None:
            return Smooth(patch, self.to_image)
        return self.terrain.locate(patch, np.array([self.left, self.top], dtype=np.float64))


def plan_map(
    channel: Channel, pixel_size: float, extent: Sequence[float] | None, terrain: Terrain | None = None
) -> MapPlan:
    """Choose the CRS (UTM zone of the middle) and the grid, north up, its edges at multiples of the pixel size.

    Args:
        channel: One polarisation.
        pixel_size: In metres.
        extent: Longitude and latitude: west, south, east, north; None for all.
        terrain: By which pixels are located; None for the annotation's positions alone.

    Raises:
        InputError: Positions are damaged, the extent lies outside, or the elevation model does.
    """
    shape = channel.shape
    image, degrees = read_points(channel.annotation, shape)
    unusable = DamagedProductError(f"{channel.annotation.name} has no usable grid of positions.")
    if len(image) < 4 or (np.ptp(image, axis=0) == 0).any() or len(np.unique(image, axis=0)) < len(image):
        raise unusable
    crs = choose_crs(degrees)
    ground = transformed(DEGREES, crs, degrees)
    if not np.isfinite(ground).all() or len(np.unique(ground, axis=0)) < len(ground):
        raise unusable
    rim = _outline(0, 0, shape[1], shape[0])
    forward = spline(image, ground)
    outline = forward(rim)
    backward = spline(ground, image)
    low, high = outline.min(axis=0), outline.max(axis=0)
    _check_size(channel, low, high)
    places = _places(backward, ground.mean(axis=0), pixel_size, channel.spacings)
    heights = []
    if terrain is not None:
        heights = list(_span(terrain, crs, low - REACH, high + REACH, extent))
        outline = np.concatenate([_outline_at(terrain, crs, forward, rim, height) for height in heights])
        low, high = outline.min(axis=0), outline.max(axis=0)
    box = (0, 0, *shape)
    if extent is not None:
        low, high, edge = _within(extent, crs, low, high)
        found = [terrain.positions(crs, edge, height) for height in heights] if terrain else [backward(edge)]
        box = _box(np.concatenate(found), shape)
        if box[2] <= 0 or box[3] <= 0:
            raise _outside(extent)
    low, high = np.floor(low / pixel_size + 1e-6), np.ceil(high / pixel_size - 1e-6)
    columns, rows = (int(n) for n in high - low)
    grid = Grid(crs, from_origin(low[0] * pixel_size, high[1] * pixel_size, pixel_size, pixel_size), columns, rows)
    corner = np.array([box[1], box[0]], dtype=np.float64)
    return MapPlan(grid, lambda positions: backward(positions) - corner, *box, places, terrain)


def _places(
    backward: Callable[[Positions], Positions], middle: Positions, pixel_size: float, spacings: tuple[float, float]
) -> tuple[int, int]:
    """Return how many samples or lines a pixel has across and down, by the direction of both in the image."""
    corners = middle + pixel_size * np.array([(0, 0), (1, 0), (0, 1)])
    at = backward(corners) * spacings
    sides = at[1:] - at[0]
    directions = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), np.finfo(float).tiny)
    # Rounded twice: where both spacings are equal, a half is to stay one, however the image is turned.
    across, down = np.round(pixel_size * np.linalg.norm(directions / spacings, axis=1), 6)
    return max(1, round(across)), max(1, round(down))


def _outline_at(
    terrain: Terrain, crs: CRS, forward: Callable[[Positions], Positions], rim: Positions, height: float
) -> Positions:
    """The map places [n, 2] that image positions show if the ground is at a height.

    Relief moves what is shown; going back by as much, as the spline measures it, comes within metres in three steps.
    """
    places = start = forward(rim)
    for _ in range(3):
        places = places + start - forward(terrain.positions(crs, places, height))
    return places


def _span(
    terrain: Terrain, crs: CRS, low: Positions, high: Positions, extent: Sequence[float] | None
) -> tuple[float, float]:
    """The lowest and the highest place of a rectangle of the map, or of what an extent covers of it."""
    edge = _outline(*low, *high) if extent is None else _within(extent, crs, low, high)[2]
    return terrain.span(crs, edge)


def _outline(left: float, top: float, right: float, bottom: float) -> Positions:
    """Positions all around a rectangle, shape [n, 2]."""
    x, y = np.linspace(left, right, EDGE), np.linspace(top, bottom, EDGE)
    sides = [(x, np.full(EDGE, top)), (x, np.full(EDGE, bottom)), (np.full(EDGE, left), y), (np.full(EDGE, right), y)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def _check_size(channel: Channel, low: Positions, high: Positions) -> None:
    """Damaged positions would make a grid that fills the disk."""
    size = [count * spacing for count, spacing in zip(reversed(channel.shape), channel.spacings)]
    # A rectangle that stands on a corner fills half of the box around it; polar grids stretch a little more.
    longest = 1.5 * math.hypot(*size)
    if not 0 < longest < 5e6 or (high - low > longest).any():
        wide, tall = (float(n) / 1000 for n in high - low)
        raise DamagedProductError(
            f"{channel.annotation.name}: the positions span {wide:.4g} x {tall:.4g} km, but the image "
            f"{size[0] / 1000:.4g} x {size[1] / 1000:.4g} km."
        )


def _within(
    extent: Sequence[float], crs: CRS, low: Positions, high: Positions
) -> tuple[Positions, Positions, Positions]:
    """Corners of the part of the map that an extent covers, and an outline of that part."""
    west, south, east, north = extent
    if not all(map(math.isfinite, extent)) or west >= east or south >= north or max(abs(south), abs(north)) > 90:
        raise InputError(
            f"The extent {west:g} {south:g} {east:g} {north:g} is empty, or not in degrees.",
            "For a Sentinel-1 product give it as longitude and latitude: WEST SOUTH EAST NORTH.",
        )
    edge = transformed(DEGREES, crs, _outline(west, south, east, north))
    if not np.isfinite(edge).all():
        raise _outside(extent)
    low, high = np.maximum(low, edge.min(axis=0)), np.minimum(high, edge.max(axis=0))
    if (low >= high).any():
        raise _outside(extent)
    return low, high, _outline(low[0], low[1], high[0], high[1])


def _box(positions: Positions, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the image around some image positions."""
    left, top = np.maximum(np.floor(positions.min(axis=0)) - SLACK, 0).astype(int)
    right, bottom = np.minimum(np.ceil(positions.max(axis=0)) + SLACK, (shape[1], shape[0])).astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)


def _outside(extent: Sequence[float]) -> InputError:
    return InputError(
        f"The extent {' '.join(f'{value:g}' for value in extent)} lies outside the product.",
        "For a Sentinel-1 product give it as longitude and latitude: WEST SOUTH EAST NORTH.",
    )
