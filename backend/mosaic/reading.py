"""Read a map on the grid of a tile: probabilities, or votes where only classes are known, and weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from scipy.ndimage import distance_transform_edt

from backend.card.model_card import LandCoverClass
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError, UnreadableError
from backend.mosaic.sources import Source
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import open_raster


@dataclass(frozen=True)
class Part:
    """Hold the probabilities and weights of one map in some columns of a tile.

    Attributes:
        columns: First column of the tile, and the one after the last.
        values: Probability of each class, float32 [K, rows, columns].
        weights: 0 where the map has no data, rising to 1 inside, float32 [rows, columns].
    """

    columns: slice
    values: FloatArray
    weights: FloatArray


class TileReader:
    """Read one map on the grid of a tile, warped as it is read: only what a strip needs is in memory.

    Args:
        source: The map.
        classes: Legend, in the order of the bands of probabilities.
        grid: Grid of the tile.
        feather: Pixels over which a map fades out towards its edge; 0 for none.
        stack: Takes what is to be closed.
        turn: Degrees of longitude by which a map in degrees is moved, see `readers_of`.

    Attributes:
        touches: Whether the map has a place in the tile.
    """

    def __init__(
        self,
        source: Source,
        classes: Sequence[LandCoverClass],
        grid: Grid,
        feather: int,
        stack: ExitStack,
        turn: float = 0.0,
    ) -> None:
        self._source, self._classes, self._feather = source, classes, feather
        smooth = source.probabilities is not None
        file = stack.enter_context(open_raster(str(source.probabilities or source.classes)))
        if smooth and file.count != len(classes):
            raise InputError(
                f"{source.probabilities} has {file.count} bands, the legend {len(classes)} classes.",
                "Run the archive again, in another folder.",
            )
        there = Affine.translation(turn, 0) * file.transform
        self._columns, self._rows = _place(file, turn, grid)
        self.touches = self._columns.start < self._columns.stop and self._rows.start < self._rows.stop
        if not self.touches:
            return
        self._scale = file.scales[0] if file.scales[0] != 1.0 else 1.0
        self._nodata = file.nodata
        self._halo = feather
        self._file: Any = stack.enter_context(
            WarpedVRT(
                file, src_transform=there, crs=grid.crs,
                transform=grid.transform * Affine.translation(-self._halo, -self._halo),
                width=grid.width + 2 * self._halo, height=grid.height + 2 * self._halo,
                resampling=Resampling.bilinear if smooth else Resampling.nearest,
                nodata=file.nodata, src_nodata=file.nodata,
            )
        )  # fmt: skip

    def read(self, top: int, bottom: int) -> Part | None:
        """Return the map's values in rows of the tile; None if it has none.

        Raises:
            UnreadableError: The map can't be read.
        """
        top, end = max(top, 0), bottom
        if not self.touches or self._rows.stop <= top or self._rows.start >= end:
            return None
        left, right, halo = self._columns.start, self._columns.stop, self._halo
        window = Window(left, top, right - left + 2 * halo, end - top + 2 * halo)
        try:
            raw = self._file.read(window=window)
        except (OSError, *RASTER_ERRORS) as error:
            raise UnreadableError(
                f"{self._source.probabilities or self._source.classes} can't be read: it is damaged.",
                f"Remove the folder {self._source.classes.parent}, and run the archive again to map that scene anew.",
            ) from error
        valid = np.isfinite(raw[0]) if _is_nan(self._nodata) else raw[0] != self._nodata
        weights = self._weights(valid)
        inner = (slice(halo, raw.shape[1] - halo), slice(halo, raw.shape[2] - halo))
        weights, raw = weights[inner], raw[(slice(None), *inner)]
        if not weights.any():
            return None
        return Part(self._columns, self._shares(raw, weights > 0), weights)

    def _weights(self, valid: BoolArray) -> FloatArray:
        if not self._feather or valid.all() or not valid.any():
            return valid.astype(np.float32)
        # The outermost pixel counts too, or a scene's edge would be lost.
        far = distance_transform_edt(valid)
        weights: FloatArray = np.minimum(far / self._feather, 1).astype(np.float32)
        return weights

    def _shares(self, raw: Any, there: BoolArray) -> FloatArray:
        if self._source.probabilities is not None:
            shares: FloatArray = np.where(there, raw, 0).astype(np.float32) * np.float32(self._scale)
            return shares
        values = np.array([item.value for item in self._classes])[:, None, None]
        votes: FloatArray = (raw == values).astype(np.float32)
        return votes


def readers_of(
    source: Source, classes: Sequence[LandCoverClass], grid: Grid, feather: int, stack: ExitStack
) -> list[TileReader]:
    """Return the readers of one map: two if it is in degrees and goes beyond 180 of them, which GDAL reads on one side.

    Args:
        source: The map.
        classes: See `TileReader`.
        grid: See `TileReader`; readers that don't touch it are left out.
        feather: See `TileReader`.
        stack: See `TileReader`.
    """
    with open_raster(str(source.classes)) as file:
        left, right, degrees = file.bounds.left, file.bounds.right, file.crs is not None and file.crs.is_geographic
    turns = [t for t in (0.0, -360.0, 360.0) if left + t < 180 and right + t > -180] if degrees else [0.0]
    readers = [TileReader(source, classes, grid, feather, stack, turn) for turn in turns]
    return [reader for reader in readers if reader.touches]


def _place(file: Any, turn: float, grid: Grid) -> tuple[slice, slice]:
    """Return the columns and rows of a grid that a raster touches."""
    if file.crs is None or grid.crs is None:
        raise InputError(f"{file.name} has no coordinate system.", "A mosaic needs maps with one.")
    try:
        west, south, east, north = file.bounds
        west, east = west + turn, east + turn
        if turn or (file.crs.is_geographic and east > 180):
            west, east = max(west, -180.0), min(east, 180.0)
        left, bottom, right, top = transform_bounds(file.crs, grid.crs, west, south, east, north, densify_pts=21)
    except RASTER_ERRORS:
        return slice(0, 0), slice(0, 0)
    back = ~grid.transform
    (west, north), (east, south) = back * (left, top), back * (right, bottom)
    if not all(map(math.isfinite, (west, north, east, south))):
        return slice(0, 0), slice(0, 0)
    if east < west:  # across the antimeridian, on a grid in degrees
        west, east = 0.0, float(grid.width)
    columns = slice(max(0, math.floor(west) - 1), min(grid.width, math.ceil(east) + 1))
    return columns, slice(max(0, math.floor(north) - 1), min(grid.height, math.ceil(south) + 1))


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
