"""Read a raster on the grid of another, in linear power."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform
from rasterio.windows import Window
from rasterio.windows import transform as window_transform

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.radiometry.convert import to_linear, to_scale
from backend.radiometry.units import Units
from backend.raster.grid import Grid
from backend.raster.source import RasterSource

# Fraction of a pixel by which two grids may differ and yet be one.
SAME = 1e-2
# Pixels read at once where a raster is warped, and points along each side of a part by which its place is found.
PART, MESH = 2**21, 9
# Source pixels for one of the target's from which the area is averaged.
COARSER = 1.5


class PlacedSource:
    """Read rows of a raster on another grid: copied if both grids are equal, else warped in linear power.

    Pixels outside the raster, and invalid ones, are invalid there. Warping is bilinear, or averages the area where the
    grid is coarser than the raster.

    Args:
        source: Opened, with judged values; covers the whole raster.
        bands: One for each band that it reads.
        units: Unit of its values.
        grid: To read on.

    Attributes:
        grid: Grid to read on; may be changed between reads.

    Raises:
        InputError: One of both has no coordinate system, and their pixels don't lie alike.
    """

    def __init__(self, source: RasterSource, bands: Sequence[Band], units: Units, grid: Grid) -> None:
        self.source, self._bands, self._units, self.grid = source, bands, units, grid
        if self.offset is None and (source.grid.crs is None or grid.crs is None):
            raise InputError(
                f"{source.path} lies on another grid ({source.grid.width} x {source.grid.height} pixels), and has no "
                "coordinate system, or the first raster has none: where one lies on the other is unknown.",
                "Give rasters with a coordinate system, or of one size.",
            )

    @property
    def offset(self) -> tuple[int, int] | None:
        """Return row and column of the raster's first pixel in the grid, if its pixels are the grid's; else None."""
        own, grid = self.source.grid, self.grid
        if own.crs != grid.crs:
            return None
        if own.crs is None and (own.width, own.height) != (grid.width, grid.height):
            return None
        back = ~grid.transform
        left, top = back * (own.transform.c, own.transform.f)
        right, bottom = back * (own.transform * (own.width, own.height))
        column, row = round(left), round(top)
        apart = (left - column, top - row, right - column - own.width, bottom - row - own.height)
        return (row, column) if max(map(abs, apart)) <= SAME else None

    @property
    def whole(self) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the grid."""
        return 0, 0, self.grid.height, self.grid.width

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return rows of the grid: linear power float32 [bands, rows, width], 0 where invalid, and validity."""
        power = self.window(top, 0, bottom - top, self.grid.width)
        valid = np.isfinite(power[0])
        return np.where(valid, power, np.float32(0)), valid

    def window(self, top: int, left: int, height: int, width: int) -> FloatArray:
        """Return linear power float32 [bands, height, width] of a window of the grid, NaN where invalid."""
        offset = self.offset
        if offset is not None:
            return self._copied(top - offset[0], left - offset[1], height, width)
        part = self._reach(top, left, height, width)
        if part is None:
            return self._nothing(height, width)
        if part[2] * part[3] > PART and height * width > 1:
            return self._halved(top, left, height, width)
        return self._warped(part, (top, left, height, width))

    def reopen(self) -> PlacedSource:
        """Return the same with a handle of its own, for another thread."""
        return PlacedSource(self.source.reopen(), self._bands, self._units, self.grid)

    def close(self) -> None:
        """Close the raster."""
        self.source.close()

    def _nothing(self, height: int, width: int) -> FloatArray:
        return np.full((len(self._bands), height, width), math.nan, dtype=np.float32)

    def _power(self, top: int, left: int, height: int, width: int) -> FloatArray:
        values, valid = self.source.window(top, left, height, width)
        _, good = to_scale(values, valid, self._bands, self._units)
        power: FloatArray = np.where(good, to_linear(values, self._bands, self._units), np.float32(math.nan))
        return power

    def _copied(self, top: int, left: int, height: int, width: int) -> FloatArray:
        own = self.source.grid
        first, last = max(0, top), min(own.height, top + height)
        begin, end = max(0, left), min(own.width, left + width)
        if first >= last or begin >= end:
            return self._nothing(height, width)
        power = self._power(first, begin, last - first, end - begin)
        if power.shape[1:] == (height, width):
            return power
        whole = self._nothing(height, width)
        whole[:, first - top : last - top, begin - left : end - left] = power
        return whole

    def _reach(self, top: int, left: int, height: int, width: int) -> tuple[int, int, int, int] | None:
        """Return top, left, height and width of the raster's pixels that a window of the grid needs; None for none."""
        rows, columns = np.meshgrid(np.linspace(top, top + height, MESH), np.linspace(left, left + width, MESH))
        grid, own = self.grid, self.source.grid
        xs, ys = grid.transform * (columns.ravel(), rows.ravel())
        x, y = (np.array(each) for each in transform(grid.crs, own.crs, xs, ys))
        inside = np.isfinite(x) & np.isfinite(y)
        if not inside.any():
            return None
        across, down = ~own.transform * (x[inside], y[inside])
        # Around the window, for what interpolation reads: two pixels of either raster.
        room = 3 + 2 * math.ceil(max(np.ptp(across) / width, np.ptp(down) / height))
        first, last = max(0, math.floor(down.min()) - room), min(own.height, math.ceil(down.max()) + room)
        begin, end = max(0, math.floor(across.min()) - room), min(own.width, math.ceil(across.max()) + room)
        return (first, begin, last - first, end - begin) if first < last and begin < end else None

    def _halved(self, top: int, left: int, height: int, width: int) -> FloatArray:
        if height >= width:
            half = height // 2
            parts = self.window(top, left, half, width), self.window(top + half, left, height - half, width)
            return np.concatenate(parts, axis=1)
        half = width // 2
        parts = self.window(top, left, height, half), self.window(top, left + half, height, width - half)
        return np.concatenate(parts, axis=2)

    def _warped(self, part: tuple[int, int, int, int], place: tuple[int, int, int, int]) -> FloatArray:
        power, target = self._power(*part), self.grid.offset(*place)
        found = self._nothing(place[2], place[3])
        if not np.isfinite(power).any():
            return found
        own = self.source.grid
        coarser = math.sqrt(part[2] * part[3] / (place[2] * place[3])) > COARSER
        reproject(
            power, found, src_crs=own.crs, dst_crs=target.crs, dst_transform=target.transform,
            src_transform=window_transform(Window(part[1], part[0], part[3], part[2]), own.transform),
            src_nodata=math.nan, dst_nodata=math.nan,
            resampling=Resampling.average if coarser else Resampling.bilinear,
            # Exact: an approximation would depend on how a raster is cut into parts.
            tolerance=0,
        )  # fmt: skip
        found[:, ~np.isfinite(found).all(axis=0)] = np.nan
        return found
