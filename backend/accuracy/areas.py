"""Compute pixel areas in square metres, row by row: planar if the projection keeps areas, else on the ellipsoid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from backend.core.arrays import DoubleArray
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid

# Lambert's cylindrical equal-area projection of the ellipsoid (Snyder 1987, Map Projections, p. 81): a projected pixel
# has the area of the pixel, exactly if it is bounded by meridians and parallels.
EQUAL_AREA = CRS.from_proj4("+proj=cea +lon_0=0 +lat_ts=0 +datum=WGS84 +units=m")
ROUND_THE_WORLD = 2 * math.pi * 6378137.0
# Planar areas that differ less than this from the area on the ground are used unchanged, as users expect of 10 m
# pixels in UTM (at most 0.2 %). Web Mercator differs far more.
TOLERANCE = 0.01
# Columns of a row whose pixels are measured; areas of the others are interpolated.
NODES = 33
SQUARE_METRES_PER_HECTARE = 10_000


class PixelAreas:
    """Compute the areas of the pixels of a grid.

    Args:
        grid: Pixels; without a CRS their areas are unknown.
        planar: Whether areas in the projection will do where they are within 1 % of those on the ground.

    Attributes:
        known: Whether areas are in square metres; if not, every pixel counts as 1.
        method: How areas are computed, one line for the report.
    """

    def __init__(self, grid: Grid, planar: bool = True) -> None:
        self._grid = grid
        self._planar: float | None = None
        self.known = grid.pixel_metres() is not None
        if not self.known or grid.crs is None:
            self._planar, self.method = 1.0, "The map has no coordinate system: areas are counted in pixels."
            return
        if grid.crs.is_projected:
            t, unit = grid.transform, float(grid.crs.linear_units_factor[1])
            nominal = abs(t.a * t.e - t.b * t.d) * unit**2
            if planar and self._keeps_areas(nominal):
                self._planar = nominal
                self.method = (
                    f"Every pixel has {nominal:.6g} m² in the map's projection, within 1 % of its ground area."
                )
                return
        self.method = "The map's coordinate system does not keep areas: pixels are measured on the WGS 84 ellipsoid."
        if not planar:
            self.method = "Areas are measured on the WGS 84 ellipsoid."
        straight = grid.crs.is_geographic and grid.transform.b == grid.transform.d == 0
        self._nodes = (
            np.array([grid.width // 2])
            if straight
            else np.unique(np.linspace(0, grid.width - 1, min(NODES, grid.width)).astype(np.intp))
        )

    def rows(self, top: int, bottom: int) -> DoubleArray:
        """Return square metres of pixels, float64, of a shape that broadcasts to [rows, width]."""
        if self._planar is not None:
            return np.full((1, 1), self._planar)
        rows = np.arange(top, bottom)
        measured = self._measure(*np.meshgrid(self._nodes, rows)).reshape(rows.size, self._nodes.size)
        # Corners of global projections may lie outside the Earth's outline: there is no area there.
        measured = np.nan_to_num(measured, nan=0.0, posinf=0.0)
        if self._nodes.size == 1:
            return measured
        columns = np.arange(self._grid.width)
        return np.stack([np.interp(columns, self._nodes, row) for row in measured])

    def _keeps_areas(self, nominal: float) -> bool:
        grid = self._grid
        columns, rows = np.meshgrid(np.linspace(0, grid.width - 1, 5), np.linspace(0, grid.height - 1, 5))
        try:
            found = self._measure(columns, rows)
        except RASTER_ERRORS:
            return True  # not convertible to the equal-area projection: only planar areas are left
        good = found[np.isfinite(found)]
        return bool(np.all(np.abs(good / nominal - 1) <= TOLERANCE))

    def _measure(self, columns: NDArray[np.generic], rows: NDArray[np.generic]) -> DoubleArray:
        """Return square metres of the pixels at `columns` and `rows`, flat, by the shoelace formula."""
        c, r = columns.ravel().astype(np.float64), rows.ravel().astype(np.float64)
        corners = np.concatenate([np.stack((c + dc, r + dr)) for dc, dr in ((0, 0), (1, 0), (1, 1), (0, 1))], axis=1)
        t = self._grid.transform
        xs, ys = t.a * corners[0] + t.b * corners[1] + t.c, t.d * corners[0] + t.e * corners[1] + t.f
        if self._grid.crs is not None and self._grid.crs.is_geographic:
            # Rows of global grids may reach half a pixel past the poles.
            ys = np.clip(ys, -90, 90)
        east, north = transform_points(self._grid.crs, EQUAL_AREA, xs.tolist(), ys.tolist())
        x, y = np.array(east).reshape(4, -1), np.array(north).reshape(4, -1)
        # A pixel that crosses the date line has corners at both ends of the projection.
        x = (x - x[0] + ROUND_THE_WORLD / 2) % ROUND_THE_WORLD - ROUND_THE_WORLD / 2
        twice: DoubleArray = np.abs(np.sum(x * np.roll(y, -1, axis=0) - np.roll(x, -1, axis=0) * y, axis=0))
        return twice / 2


def in_unit(area: float, unit: str) -> float:
    """Return an area for people: hectares of square metres ("m2"), or pixels."""
    return area / SQUARE_METRES_PER_HECTARE if unit == "m2" else area
