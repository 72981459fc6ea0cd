"""Read a raster of certainty in strips: a layer of `landcover`, or any other whose low values mean uncertain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.raster.blocks import damaged, strip_rows
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import open_raster

# Tag of our own maps that says what they hold.
OUTPUT_TAG = "SARDINO_OUTPUT"
# Layers from 0 to 1 that are high where a map is certain, and where it is not.
CERTAIN, UNCERTAIN = ("margin", "confidence", "surroundings"), ("entropy", "disagreement")


class CertaintyRaster:
    """Read the first band of a raster; a context manager.

    Args:
        path: Anything that GDAL opens.

    Attributes:
        grid: Its grid.
        kind: Its contents by its tag; empty if another program wrote it.

    Raises:
        InputError: It holds classes, or can't be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open_raster(path))
        try:
            self._check()
        except BaseException:
            self._stack.close()
            raise
        self.grid = Grid(self._file.crs, self._file.transform, self._file.width, self._file.height)

    def _check(self) -> None:
        file = self._file
        if file.count == 0 or "complex" in file.dtypes[0]:
            raise InputError(f"{self.path} has no band of real numbers.", "Choose a raster of margin or confidence.")
        self.kind = str(file.tags().get(OUTPUT_TAG, ""))
        known = self.kind in (*CERTAIN, *UNCERTAIN)
        if (self.kind and not known) or file.colorinterp[0] == ColorInterp.palette:
            what = "land-cover classes" if self.kind in ("", "landcover") else self.kind
            raise InputError(
                f"{self.path} holds {what}, not how certain they are.",
                "Map again with --margin (in QGIS: the output 'Margin' of Land cover from SAR), and give that raster.",
            )
        if file.gcps[0] and file.transform.is_identity:
            raise InputError(
                f"{self.path} has ground control points only.", "Warp it first (in QGIS: Raster > Projections > Warp)."
            )

    def strips(self) -> Iterator[tuple[int, FloatArray]]:
        """Yield first row and values of each strip, float32 [rows, width], low where uncertain, NaN without data.

        Raises:
            InputError: The file can't be read.
        """
        for top, bottom in strip_rows(self._file, self.grid.width, self.grid.height):
            window = Window(0, top, self.grid.width, bottom - top)
            try:
                values = self._file.read(1, window=window).astype(np.float32)
                valid = self._file.read_masks(1, window=window) != 0
            except RASTER_ERRORS as error:
                raise damaged(self.path, top) from error
            values[~valid] = np.nan
            yield top, -values if self.kind in UNCERTAIN else values

    def span(self) -> tuple[float, float] | None:
        """Return the least and largest value that `strips` can yield; None if the tag doesn't tell."""
        if self.kind in CERTAIN:
            return 0.0, 1.0
        return (-1.0, 0.0) if self.kind in UNCERTAIN else None

    def __enter__(self) -> CertaintyRaster:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
