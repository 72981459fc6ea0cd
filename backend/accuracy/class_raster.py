"""Read a class raster in strips of rows: values, validity, and names of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from backend.accuracy.class_names import class_names
from backend.accuracy.class_values import check_class_number
from backend.accuracy.tally import check_number, distinct
from backend.core.arrays import BoolArray, IntArray
from backend.core.errors import InputError
from backend.raster.blocks import damaged, strip_rows
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import open_raster


class ClassRaster:
    """Read the first band of a raster of whole numbers; a context manager.

    Args:
        path: Anything that GDAL opens.
        ignore: Values to leave out, in addition to nodata.
        mapping: New value of some values (applied after `ignore`).
        like: Grid to warp to, by nearest neighbour.
        roles: What this raster, and the one that `like` is of, are called in notes.

    Attributes:
        grid: Its own grid, or `like`.
        names: Name of each class value, from the sidecar files.
        notes: Remarks for the user.

    Raises:
        InputError: The raster doesn't hold whole numbers, or can't be warped to `like`; from `read` also if it holds
            more values than classes can have.
    """

    def __init__(
        self,
        path: str,
        ignore: Sequence[int] = (),
        mapping: Mapping[int, int] | None = None,
        like: Grid | None = None,
        roles: tuple[str, str] = ("reference raster", "class map"),
    ) -> None:
        self._role, self._other = roles
        self.path, self._ignore, self._mapping = path, list(ignore), dict(mapping or {})
        # The lowest integer may be left out: programs write it where nothing is known.
        lowest = np.iinfo(np.int64).min
        for number in {*self._ignore, *self._mapping, *self._mapping.values()} - {lowest}:
            check_class_number(number, "A class to leave out or to map")
        self.notes: list[str] = []
        self._seen: set[int] = set()
        self._stack = ExitStack()
        self._data = self._file = self._stack.enter_context(open_raster(path))
        try:
            self._check()
            file = self._file
            self.own_grid = self.grid = Grid(file.crs, file.transform, file.width, file.height)
            if like is not None and like != self.grid:
                self._warp(like)
        except BaseException:
            self._stack.close()
            raise
        self.names = class_names(path)

    def _check(self) -> None:
        file = self._file
        if file.count == 0:
            raise InputError(f"{self.path} has no bands.", "Choose a raster of classes.")
        if np.dtype("complex64" if "complex" in file.dtypes[0] else file.dtypes[0]).kind not in "iu":
            raise InputError(
                f"{self.path} holds {file.dtypes[0]} values; classes are whole numbers.",
                "Convert it to an integer type first (in QGIS: Raster > Conversion > Translate, output type Byte).",
            )
        if file.count > 1:
            self.notes.append(f"{self.path} has {file.count} bands; the first one is used.")
        if file.gcps[0] and file.transform.is_identity:
            raise InputError(
                f"{self.path} has ground control points only.", "Warp it first (in QGIS: Raster > Projections > Warp)."
            )

    def _warp(self, like: Grid) -> None:
        own = self.own_grid
        same_place = (own.transform, own.width, own.height) == (like.transform, like.width, like.height)
        if own.crs is None or like.crs is None:
            if not same_place:
                raise InputError(
                    f"{self.path} has another grid than the {self._other}, and one of them has no coordinate system.",
                    "Assign one first (in QGIS: Raster > Projections > Assign Projection).",
                )
            self.notes.append("Only one of the two rasters has a coordinate system; it is assumed for both.")
            self.grid = like
            return
        try:
            self._data = self._stack.enter_context(
                WarpedVRT(
                    self._file,
                    crs=like.crs,
                    transform=like.transform,
                    width=like.width,
                    height=like.height,
                    resampling=Resampling.nearest,
                    # Marks pixels outside and nodata, whatever the class values are.
                    add_alpha=True,
                    warp_mem_limit=64,
                )
            )
        except RASTER_ERRORS as error:
            raise InputError(
                f"{self.path} can't be warped to the {self._other}'s grid: {str(error).splitlines()[0]}.",
                "Check its coordinate system, or warp it first.",
            ) from error
        self.grid = like
        self.notes.append(f"The {self._role} was warped to the {self._other}'s grid by nearest neighbour.")
        self._compare_sizes(like)

    def _compare_sizes(self, like: Grid) -> None:
        own, wanted = self.own_grid.pixel_metres(), like.pixel_metres()
        if own and wanted and max(wanted) > 1.5 * max(own):
            self.notes.append(
                f"Pixels of the {self._other} ({max(wanted):.3g} m) are larger than those of the {self._role} "
                f"({max(own):.3g} m): each is compared with the one {self._role} pixel at its centre."
            )
        elif own and wanted and max(own) > 1.5 * max(wanted):
            self.notes.append(
                f"Pixels of the {self._role} ({max(own):.3g} m) are larger than those of the {self._other} "
                f"({max(wanted):.3g} m): each of them is compared several times."
            )

    def bounds(self) -> tuple[float, float, float, float] | None:
        """Return the bounds of the raster itself in the CRS of `grid`; None if they can't be computed."""
        own, crs = self.own_grid, self.grid.crs
        if own.crs is None or crs is None or own.crs == crs:
            return own.bounds()
        try:
            xmin, ymin, xmax, ymax = transform_bounds(own.crs, crs, *own.bounds())
        except RASTER_ERRORS:
            return None
        return xmin, ymin, xmax, ymax

    def strips(self) -> Iterator[tuple[int, int]]:
        """Return first and last (exclusive) row of each strip: whole rows of blocks if these are small enough."""
        return strip_rows(self._file, self.grid.width, self.grid.height)

    def read(self, top: int, bottom: int) -> tuple[IntArray, BoolArray, BoolArray]:
        """Read rows of the grid: values int64 [rows, width], validity, and the mask of ignored values.

        Raises:
            InputError: The file can't be read at these rows.
        """
        window = Window(0, top, self.grid.width, bottom - top)
        try:
            raw = self._data.read(1, window=window)
            valid = self._data.read_masks(1, window=window) != 0
        except RASTER_ERRORS as error:
            raise damaged(self.path, top) from error
        self._check_range(raw[valid], top)
        values = raw.astype(np.int64)
        ignored = np.isin(values, self._ignore) & valid if self._ignore else np.zeros_like(valid)
        if self._mapping:
            values = remap(values, self._mapping)
        used = valid & ~ignored
        self._check_count(values[used] if raw.dtype.itemsize > 1 else values[:0])
        return values, used, ignored

    def _check_count(self, values: IntArray) -> None:
        if values.size:
            self._seen.update(distinct(values)[0].tolist())
            check_number(self._seen, self.path)

    def _check_range(self, values: NDArray[Any], top: int) -> None:
        if values.dtype.itemsize == 8 and values.size:
            for number in (int(values.min()), int(values.max())):
                if number not in self._ignore:
                    check_class_number(number, f"{self.path} has a class in rows from {top} on that")

    def __enter__(self) -> ClassRaster:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()


def remap(values: IntArray, mapping: Mapping[int, int]) -> IntArray:
    """Replace values all at once, so that 1=2, 2=1 swaps them."""
    result = values.copy()
    for old, new in mapping.items():
        result[values == old] = new
    return result
