"""Check an elevation model (DEM), and read heights in metres from it."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.windows import Window

from backend.core.errors import InputError
from backend.grd.ground_control import Positions, transformed
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import open_raster

Heights = NDArray[np.float32]
# Metres, with a margin, between which all land lies. Other values are in a wrong unit, or undeclared nodata.
LOWEST, HIGHEST = -600.0, 9_000.0
# Rows read at once in a search for the extremes.
ROWS = 256
METRES = {
    **dict.fromkeys(("", "m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), 0.3048),
    **dict.fromkeys(("us-ft", "ftus", "us survey foot", "us survey feet", "us_survey_foot"), 1200 / 3937),
}
# Metres per unit of the heights in a compound CRS.
_VERTICAL = re.compile(r'VERT(?:_CS|CRS|CS)\[.*?UNIT\["[^"]*",\s*([0-9.eE+-]+)', re.DOTALL)


class Elevation:
    """Read heights of an elevation model; a context manager. A fine model is averaged to cells of `spacing` metres.

    Args:
        path: Raster of heights, one band, in any CRS.
        spacing: Metres between the points whose heights are wanted.

    Attributes:
        shape: Rows and columns of cells.

    Raises:
        InputError: It can't be opened, or isn't a georeferenced raster of heights.
    """

    def __init__(self, path: str, spacing: float) -> None:
        self.path = path
        self._file: Any = open_raster(path)
        try:
            self._check()
            grid = Grid(self._file.crs, self._file.transform, self._file.width, self._file.height)
            grid.check(path)
            size = min(grid.pixel_metres() or (spacing, spacing))
        except BaseException:
            self._file.close()
            raise
        self._factor = max(1, int(spacing / size + 0.01))
        self._place = self._file.transform * Affine.scale(self._factor)
        self._middle = float((self._file.bounds.left + self._file.bounds.right) / 2)
        # The last row and column of cells may be cut off.
        self.shape = -(-self._file.height // self._factor), -(-self._file.width // self._factor)

    def _check(self) -> None:
        file, path = self._file, self.path
        if file.count != 1 or np.dtype(file.dtypes[0]).kind not in "iuf":
            raise InputError(
                f"{path} has {file.count} bands of {file.dtypes[0] if file.count else 'nothing'}; an elevation model "
                "has one band of heights.",
                "Give a raster of heights in metres, such as a tile of the Copernicus DEM.",
            )
        if file.crs is None:
            raise InputError(
                f"The elevation model {path} has no coordinate system.", "Give it one: gdal_edit.py -a_srs EPSG:…"
            )
        unit = (file.units[0] or "").strip().lower()
        if unit not in METRES:
            raise InputError(
                f"The heights of {path} are in {unit!r}; metres or feet are wanted.", "Convert them to metres."
            )
        vertical = _VERTICAL.search(file.crs.to_wkt())
        metres = METRES[unit] if unit or vertical is None else float(vertical.group(1))
        self._scale, self._offset = file.scales[0] * metres, file.offsets[0] * metres

    def pixels(self, crs: CRS, positions: Positions) -> Positions:
        """Return the column and row of cells, from the outer corner of the first, at points [n, 2] in a CRS."""
        own = transformed(crs, self._file.crs, positions)
        if self._file.crs.is_geographic:
            # Longitudes are put on one side of the antimeridian: that of the raster.
            own[:, 0] = own[0, 0] + (own[:, 0] - own[0, 0] + 180) % 360 - 180
            own[:, 0] += 360 * np.round((self._middle - own[:, 0].mean()) / 360)
        return np.stack(~self._place * (own[:, 0], own[:, 1]), axis=1)

    def window(self, pixels: Positions) -> tuple[int, int, int, int]:
        """Return top, left, bottom and right of the cells around `pixels` [n, 2]; an empty window outside the model."""
        finite = pixels[np.isfinite(pixels).all(axis=1)]
        if not len(finite):
            return 0, 0, 0, 0
        left, top = (max(int(n), 0) for n in np.floor(finite.min(axis=0)) - 1)
        right, bottom = np.minimum(np.ceil(finite.max(axis=0)) + 1, self.shape[::-1]).astype(int)
        return top, left, int(bottom), int(right)

    def read(self, top: int, left: int, bottom: int, right: int) -> Heights:
        """Read heights in metres, float32 [rows, columns]; NaN for nodata.

        Raises:
            InputError: The file is truncated or damaged.
        """
        rows, columns = self._parts(top, bottom, self._file.height), self._parts(left, right, self._file.width)
        try:
            values: Heights = np.block([[self._mean(r, c) for c in columns] for r in rows])
        except RASTER_ERRORS as error:
            raise InputError(
                f"The elevation model {self.path} can't be read: it is truncated or damaged.",
                "Download or copy it again.",
            ) from error
        heights: Heights = values * np.float32(self._scale) + np.float32(self._offset)
        heights[~np.isfinite(heights)] = np.nan
        return heights

    def _parts(self, start: int, stop: int, length: int) -> list[tuple[int, int]]:
        """Split a range of cells into the whole ones and the last one, if it is cut off by the edge."""
        whole = length // self._factor
        parts = (start, min(stop, whole)), (max(start, whole), stop)
        return [(first, last) for first, last in parts if first < last]

    def _mean(self, rows: tuple[int, int], columns: tuple[int, int]) -> Heights:
        """Read the means of cells that are all whole or all cut off, in the unit of the file; NaN for nodata."""
        (top, bottom), (left, right) = rows, columns
        y, x = top * self._factor, left * self._factor
        height = min(bottom * self._factor, self._file.height) - y
        width = min(right * self._factor, self._file.width) - x
        size = bottom - top, right - left
        window = Window(x, y, width, height)
        found = self._file.read(1, window=window, out_shape=size, resampling=Resampling.average, masked=True)
        values: Heights = found.astype(np.float32).filled(np.nan)
        return values

    def span(self, window: tuple[int, int, int, int]) -> tuple[float, float]:
        """Return the lowest and the highest height in metres inside a window.

        Raises:
            InputError: There is no height, or one that can't be on Earth.
        """
        top, left, bottom, right = window
        lowest, highest = np.inf, -np.inf
        for row in range(top, bottom if left < right else top, ROWS):
            part = self.read(row, left, min(row + ROWS, bottom), right)
            if np.isfinite(part).any():
                lowest, highest = min(lowest, float(np.nanmin(part))), max(highest, float(np.nanmax(part)))
        if lowest > highest:
            raise InputError(
                f"The elevation model {self.path} does not reach the product (or the extent), or has no heights there.",
                "Give a model that covers it; gdalbuildvrt joins several tiles.",
            )
        if lowest < LOWEST or highest > HIGHEST:
            raise InputError(
                f"{self.path} has heights from {lowest:g} to {highest:g} m; on Earth they are -430 to 8,850 m.",
                "If one of these numbers stands for nodata, declare it: gdal_edit.py -a_nodata NUMBER. "
                "If they are not metres, convert them.",
            )
        return lowest, highest

    def __enter__(self) -> Elevation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
