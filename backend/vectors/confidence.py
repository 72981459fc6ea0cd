"""Read a raster of confidence together with a class map, in the same strips."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasterio.windows import Window

from backend.core.arrays import DoubleArray
from backend.core.errors import InputError
from backend.raster.blocks import damaged
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import open_raster

# Pixels that two rasters of one grid may lie apart: programs round coordinates differently.
TOLERANCE = 0.01


class ConfidenceRaster:
    """Read the first band of a raster of numbers on the grid of a map; a context manager.

    Args:
        path: The raster.
        grid: The map's.

    Raises:
        InputError: It lies on another grid, or can't be opened.
    """

    def __init__(self, path: str, grid: Grid) -> None:
        self._path, self._grid = path, grid
        self._file = open_raster(path)
        try:
            self._check()
        except BaseException:
            self._file.close()
            raise

    def _check(self) -> None:
        file, grid = self._file, self._grid
        own = Grid(file.crs, file.transform, file.width, file.height)
        size = own.width == grid.width and own.height == grid.height
        corners = [(0, 0), (grid.width, 0), (0, grid.height)]
        shifts = [(~grid.transform) * (own.transform * corner) for corner in corners] if size else []
        off = [abs(a - b) for shift, corner in zip(shifts, corners) for a, b in zip(shift, corner)]
        crs = own.crs is None or grid.crs is None or own.crs == grid.crs
        if not (size and crs and max(off) <= TOLERANCE):
            raise InputError(
                f"The confidence {self._path} ({own.width} x {own.height} pixels) is not on the grid of the map "
                f"({grid.width} x {grid.height} pixels).",
                "Give the confidence that was written with the map, or warp it to the map's grid.",
            )
        if np.dtype(file.dtypes[0]).kind not in "iuf":
            raise InputError(f"The confidence {self._path} holds {file.dtypes[0]} values.", "Give a raster of numbers.")

    def read(self, top: int, bottom: int) -> DoubleArray:
        """Read rows: float64 [rows, width], NaN where there is no data.

        Raises:
            InputError: The file can't be read at these rows.
        """
        window = Window(0, top, self._grid.width, bottom - top)
        try:
            values: DoubleArray = self._file.read(1, window=window).astype(np.float64)
            values[self._file.read_masks(1, window=window) == 0] = np.nan
        except RASTER_ERRORS as error:
            raise damaged(self._path, top) from error
        return values

    def __enter__(self) -> ConfidenceRaster:
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()
