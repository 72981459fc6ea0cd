"""Where pixels lie: CRS, transform and size as one value; extents, and the size of a pixel on the ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from backend.core.errors import InputError
from backend.raster.errors import RASTER_ERRORS

# Snapping tolerance, in pixels, of an extent's edges.
SNAP = 1e-6
# Above this the nominal metres of a projection (Web Mercator far from the equator) are not metres on the ground.
DISTORTION = 0.05
DEGREES = CRS.from_epsg(4326)


@dataclass(frozen=True)
class Grid:
    """Pixels of a raster.

    Attributes:
        crs: None where unknown.
        transform: From (column, row) to coordinates.
        width: Columns.
        height: Rows.
    """

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    def check(self, name: str) -> None:
        """Refuse a transform that leads nowhere, or puts all pixels on one line; `name` is the raster's.

        Raises:
            InputError: It does.
        """
        numbers = tuple(self.transform)[:6]
        if not all(map(math.isfinite, numbers)) or self.transform.determinant == 0:
            raise InputError(
                f"The pixels of {name} lie nowhere: its geotransform is {', '.join(f'{n:g}' for n in numbers)}.",
                "Give it its right place, for instance with gdal_edit.py -a_ullr.",
            )

    def offset(self, top: int, left: int, height: int, width: int) -> Grid:
        """The grid of some of these pixels."""
        return Grid(self.crs, self.transform * Affine.translation(left, top), width, height)

    def window(self, extent: Sequence[float]) -> tuple[int, int, int, int]:
        """Top, left, height and width of the whole pixels that an extent touches.

        Args:
            extent: xmin, ymin, xmax, ymax in the grid's CRS.

        Raises:
            InputError: The extent is empty, not finite or lies outside.
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
        """Longitude and latitude in the grid's CRS; not finite where they have no place in it."""
        try:
            (x,), (y,) = transform_points(DEGREES, self.crs, [point[0]], [point[1]])
        except RASTER_ERRORS:
            return math.nan, math.nan
        return x, y

    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest xmin, ymin, xmax, ymax around all pixels."""
        corners = [self.transform * c for c in ((0, 0), (self.width, 0), (0, self.height), (self.width, self.height))]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    def pixel_metres(self) -> tuple[float, float] | None:
        """Width and height of the middle pixel in metres on the ground; None where the CRS doesn't tell."""
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
        east = [(x - lon[0] + 180) % 360 - 180 for x in lon]  # the short way, across the antimeridian too
        x, y = (math.hypot(east[i] * per_lon, (lat[i] - lat[0]) * per_lat) for i in (1, 2))
        return (x, y) if min(x, y) > 0 else None
