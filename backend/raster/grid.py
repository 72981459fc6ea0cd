"""Hold CRS, transform and size of a raster as one value; compute extents and the ground size of pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from backend.core.errors import InputError
from backend.raster.errors import RASTER_ERRORS
from backend.raster.resample import scaled_size

# Snapping tolerance, in pixels, of an extent's edges.
SNAP = 1e-6
# Relative difference above which metres of a projection (Web Mercator far from the equator) are not ground metres.
DISTORTION = 0.05
DEGREES = CRS.from_epsg(4326)


@dataclass(frozen=True)
class Grid:
    """Hold the pixel grid of a raster.

    Attributes:
        crs: None if unknown.
        transform: Transform from (column, row) to coordinates.
        width: Columns.
        height: Rows.
    """

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    def check(self, name: str) -> None:
        """Refuse a transform that is not finite or not invertible.

        Args:
            name: The raster's, for the message.

        Raises:
            InputError: The transform is one of these.
        """
        numbers = tuple(self.transform)[:6]
        if not all(map(math.isfinite, numbers)) or self.transform.determinant == 0:
            raise InputError(
                f"{name} has an invalid geotransform: {', '.join(f'{n:g}' for n in numbers)}.",
                "Set the right one, for instance with gdal_edit.py -a_ullr.",
            )

    def offset(self, top: int, left: int, height: int, width: int) -> Grid:
        """Return the grid of a window of these pixels."""
        return Grid(self.crs, self.transform * Affine.translation(left, top), width, height)

    def window(self, extent: Sequence[float]) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the window of whole pixels that an extent touches.

        Args:
            extent: xmin, ymin, xmax, ymax in the grid's CRS.

        Raises:
            InputError: The extent is empty, not finite or outside the grid.
        """
        xmin, ymin, xmax, ymax = extent
        if not all(map(math.isfinite, extent)) or xmin >= xmax or ymin >= ymax:
            raise InputError(
                f"The extent {xmin:g} {ymin:g} {xmax:g} {ymax:g} is empty.", "Give XMIN YMIN XMAX YMAX, in this order."
            )
        back = ~self.transform
        corners = [back * corner for corner in ((xmin, ymin), (xmin, ymax), (xmax, ymin), (xmax, ymax))]
        left = max(0, math.floor(min(x for x, _ in corners) + SNAP))
        top = max(0, math.floor(min(y for _, y in corners) + SNAP))
        right = min(self.width, math.ceil(max(x for x, _ in corners) - SNAP))
        bottom = min(self.height, math.ceil(max(y for _, y in corners) - SNAP))
        if left >= right or top >= bottom:
            raise InputError(
                f"The extent {xmin:g} {ymin:g} {xmax:g} {ymax:g} lies outside the raster.",
                "Give it in the raster's own coordinate system; `info` shows the raster's bounds.",
            )
        return top, left, bottom - top, right - left

    def from_degrees(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return a point given as longitude and latitude in the grid's CRS; nan or inf if it has no place there."""
        try:
            (x,), (y,) = transform_points(DEGREES, self.crs, [point[0]], [point[1]])
        except RASTER_ERRORS:
            return math.nan, math.nan
        return x, y

    def bounds(self) -> tuple[float, float, float, float]:
        """Return xmin, ymin, xmax, ymax of all pixels."""
        corners = [self.transform * c for c in ((0, 0), (self.width, 0), (0, self.height), (self.width, self.height))]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    def pixel_metres(self) -> tuple[float, float] | None:
        """Return width and height of the central pixel in metres on the ground; None if they are unknown."""
        if self.crs is None or self.transform == Affine.identity():
            return None
        t = self.transform
        nominal = math.hypot(t.a, t.d), math.hypot(t.b, t.e)
        ground = self._ground_metres()
        if not self.crs.is_projected:
            return ground
        factor = float(self.crs.linear_units_factor[1])
        metres = nominal[0] * factor, nominal[1] * factor
        if ground is not None and any(abs(g / m - 1) > DISTORTION for g, m in zip(ground, metres)):
            return ground
        return metres

    def _ground_metres(self) -> tuple[float, float] | None:
        column, row = self.width / 2, self.height / 2
        points = [self.transform * p for p in ((column, row), (column + 1, row), (column, row + 1))]
        try:
            lon, lat = transform_points(self.crs, DEGREES, [p[0] for p in points], [p[1] for p in points])
        except RASTER_ERRORS:
            return None
        if not all(map(math.isfinite, (*lon, *lat))):
            return None
        phi = math.radians(lat[0])
        # Metres of a degree on WGS 84 (National Geospatial-Intelligence Agency, series expansion).
        per_lat = 111132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
        per_lon = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi)
        east = [(x - lon[0] + 180) % 360 - 180 for x in lon]  # the shorter way round, also across the antimeridian
        x, y = (math.hypot(east[i] * per_lon, (lat[i] - lat[0]) * per_lat) for i in (1, 2))
        return (x, y) if min(x, y) > 0 else None


@dataclass(frozen=True)
class Rectangle:
    """Hold a rectangle of pixels (or of patches) of a raster."""

    top: int
    left: int
    height: int
    width: int

    def in_cells(self, factors: tuple[float, float]) -> Rectangle:
        """Return the cells that it touches, where a cell is so many pixels down and across."""
        (top, bottom), (left, right) = (
            (math.floor(start / factor + 1e-9), scaled_size(start + size, factor))
            for start, size, factor in zip((self.top, self.left), (self.height, self.width), factors)
        )
        return Rectangle(top, left, bottom - top, right - left)

    def of(self, grid: Grid) -> Grid:
        """Return this part of a grid."""
        return grid.offset(self.top, self.left, self.height, self.width)
