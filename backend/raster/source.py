"""Open a raster, check it, and read its rows as float32 values with validity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from backend.core.arrays import BoolArray, FloatArray
from backend.core.threads import decoding_threads
from backend.raster.band_labels import Labels, label_bands
from backend.raster.bands import choose_bands
from backend.raster.behind import FORGOTTEN
from backend.raster.blocks import SMALL_CACHE, cache_bytes, check_blocks, damaged
from backend.raster.control_points.on_a_grid import on_a_grid
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid
from backend.raster.opening import not_utf8, open_files, undecodable
from backend.raster.stored import Storage, StoredReader
from backend.raster.tags import tags_in, tags_of

LONGEST_TAG = 300  # characters that are looked at: some tags hold documents


def gdal_environment(cache_bytes: int = SMALL_CACHE) -> rasterio.Env:
    """Return GDAL settings of a run; enter in the main thread, and again with the cache size that a source needs."""
    told = {"GDAL_CACHEMAX": cache_bytes, "GDAL_NUM_THREADS": decoding_threads()}
    return rasterio.Env(**told, GDAL_VRT_ENABLE_PYTHON="NO", CPL_VSIL_CURL_NON_CACHED=FORGOTTEN)


class RasterSource:
    """Read rows of the chosen bands of a raster, from one thread at a time.

    Args:
        path: Anything that GDAL opens: a file, or a name such as NETCDF:"file":variable. Several paths: bands of one
            scene, on one grid.
        bands: Band numbers from 1, in the order of `names`, 0 for a missing band; None to choose by description or
            position.
        extent: xmin, ymin, xmax, ymax in the raster's CRS; None for the whole raster.
        names: Band names of the model. Without names and bands, all bands are read.
        nodata: Nodata values in addition to those declared in the file.
        allows_missing: Whether some of `names` may be missing.

    Attributes:
        grid: Pixels of the extent, to which `read` and `window` refer.
        bands: Numbers of the chosen bands, without missing ones.
        present: Positions of the chosen bands in `names`.
        found_by: How they were found: "asked", "names", "file names" or "position", as of `bands.BandChoice`.
        notes: (level, message) pairs for the log.
        pixel_metres: See `Grid.pixel_metres`.

    Raises:
        InputError: The path is not a raster of real numbers with these bands.
    """

    def __init__(
        self,
        path: str | Path | Sequence[str],
        bands: Sequence[int] | None = None,
        extent: Sequence[float] | None = None,
        names: Sequence[str] = (),
        nodata: Sequence[float] = (),
        allows_missing: bool = False,
    ) -> None:
        files = [str(path)] if isinstance(path, (str, Path)) else list(path)
        self.path = files[0] if len(files) == 1 else f"{files[0]} with {', '.join(files[1:])}"
        self._more_nodata = tuple(nodata)
        self._file, joined = open_files(files)
        self._dataset: Any = self._file
        try:
            choice = choose_bands(self._file, self.path, names, bands, allows_missing)
            self.bands, self.present, self.found_by = choice.numbers, choice.present, choice.found_by
            check_blocks(self._file, self.path, self.bands)
            self._file, self._dataset, notes = on_a_grid(self._file)
            self.notes = [*joined, *choice.notes, *notes]
            alphas = [b for b, kind in enumerate(self._dataset.colorinterp, 1) if kind == ColorInterp.alpha]
            self._alpha = alphas[0] if alphas and alphas[0] not in self.bands else 0
            full = Grid(self._dataset.crs, self._dataset.transform, self._dataset.width, self._dataset.height)
            full.check(self.path)
            self.pixel_metres = full.pixel_metres()
            self._full = full
            self.cover(*(full.window(extent) if extent else (0, 0, full.height, full.width)))
        except UnicodeDecodeError as error:
            self.close()
            raise not_utf8(self.path) from error
        except RASTER_ERRORS as error:
            self.close()
            raise undecodable(self.path, error) from error
        except BaseException:
            self.close()
            raise
        self._arguments = (files, bands, extent, names, self._more_nodata, allows_missing)
        self._filling: tuple[tuple[int, float], ...] = ()

    @property
    def files(self) -> list[str]:
        """Return the files as GDAL lists them: the raster, its sidecars, the sources of a virtual raster."""
        try:
            return list(self._file.files)
        except UnicodeDecodeError as error:
            raise not_utf8(self.path) from error

    def cache_bytes(self, resampled: bool = True) -> int:
        """Return a cache size with which each block is decoded once, as `raster.blocks.cache_bytes` does."""
        return cache_bytes(self._file, self.bands, resampled or self.by_control_points)

    @property
    def block_shape(self) -> tuple[int, int]:
        """Return the rows and columns of a stored block, the smallest unit that can be read."""
        rows, columns = self._dataset.block_shapes[self.bands[0] - 1]
        return int(rows), int(columns)

    @property
    def overviews(self) -> tuple[int, ...]:
        """Return the decimation factors of the overviews in the file."""
        return tuple(self._dataset.overviews(self.bands[0]))

    @property
    def whole(self) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the whole raster, as for `window`."""
        return -self._top, -self._left, int(self._dataset.height), int(self._dataset.width)

    def cover(self, top: int, left: int, height: int, width: int) -> None:
        """Set the pixels of the raster that `grid`, `read` and `window` refer to."""
        self._top, self._left = top, left
        self.grid = self._full.offset(top, left, height, width)

    def reopen(self) -> RasterSource:
        """Return a source of the same rows with its own handle, for another thread."""
        again = RasterSource(*self._arguments)
        again.bands, again._filling = self.bands, self._filling
        again.cover(self._top, self._left, self.grid.height, self.grid.width)
        return again

    def read_as(self, order: Sequence[int], filling: Sequence[tuple[int, float]]) -> None:
        """Change how rows are read from now on.

        Args:
            order: Present rows of `read` in the order wanted.
            filling: Present rows, and values as `read` returns them that are no data.
        """
        self._filling = tuple((order.index(row), value) for row, value in filling)
        self.bands = tuple(self.bands[row] for row in order)

    @property
    def by_control_points(self) -> bool:
        """Return whether the grid comes from ground control points."""
        return isinstance(self._dataset, WarpedVRT)

    def texts(self) -> tuple[str, str, str]:
        """Return texts that may say how the values were made: descriptions of the bands, names of the files, tags."""
        named = " ".join(self._file.descriptions[band - 1] or "" for band in self.bands)
        tags = (item for number in (0, *self.bands) for item in self._file.tags(number).items())
        told = " ".join(f"{key}={text[:LONGEST_TAG]}" for key, text in tags)
        return named, " ".join(Path(each).name for each in self._arguments[0]), told

    @property
    def scaling(self) -> tuple[tuple[float, float], ...]:
        """Return scale and offset of each chosen band, already applied to the values that `read` returns."""
        return tuple((self._file.scales[band - 1], self._file.offsets[band - 1]) for band in self.bands)

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return rows of the grid: values float32 [bands, rows, width] in the file's unit, and validity [rows, width].

        A pixel is valid if it is finite, not nodata and not masked in every band.

        Raises:
            UnreadableError: The file is truncated or damaged there.
        """
        return self.window(top, 0, bottom - top, self.grid.width)

    def window(
        self, top: int, left: int, height: int, width: int, shape: tuple[int, int] | None = None
    ) -> tuple[FloatArray, BoolArray]:
        """Return a window of the grid, as `read` does; with `shape`, decimated to it (nearest pixels, of overviews)."""
        window = Window(self._left + left, self._top + top, width, height)
        shape = shape or (height, width)
        values = np.empty((len(self.bands), *shape), dtype=np.float32)
        valid = np.ones(shape, dtype=np.bool_)
        try:
            nodata, flags, kinds = self._dataset.nodatavals, self._dataset.mask_flag_enums, self._dataset.dtypes
            # Band by band, because those of a virtual raster may differ in type.
            for index, band in enumerate(self.bands):
                out = values[index] if kinds[band - 1] == "float32" else None
                raw = self._dataset.read(band, window=window, out=out, out_shape=None if out is not None else shape)
                with np.errstate(over="ignore"):
                    values[index] = raw if out is None else out
                valid &= np.isfinite(raw)
                self._mask(band, raw, window, valid, nodata[band - 1], flags[band - 1])
            if self._alpha:
                # Read explicitly: GDAL respects alpha only in rasters of two or four bands.
                valid &= self._dataset.read(self._alpha, window=window, out_shape=shape) != 0
        except (*RASTER_ERRORS, UnicodeDecodeError) as error:
            raise damaged(self.path, top) from error
        scales, offsets = ([each[b - 1] for b in self.bands] for each in (self._file.scales, self._file.offsets))
        if any(s != 1 for s in scales) or any(offsets):
            column = (-1, 1, 1)
            values *= np.array(scales, np.float32).reshape(column)
            values += np.array(offsets, np.float32).reshape(column)
        for row, value in self._filling:
            valid &= values[row] != np.float32(value)
        return values, valid

    def _mask(
        self, band: int, raw: NDArray[Any], window: Window, valid: BoolArray, nodata: float | None, flags: Any
    ) -> None:
        for value in self._more_nodata:
            valid &= raw != value
        if nodata is not None and np.isfinite(nodata):
            # The nodata tag is decimal text: compare in the precision of the band.
            valid &= raw != (raw.dtype.type(nodata) if raw.dtype.kind == "f" else nodata)
        if MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags:
            valid &= self._dataset.read_masks(band, window=window, out_shape=raw.shape) != 0

    def stored(self) -> tuple[StoredReader, Storage]:
        """Return what reads the same windows without converting values, and how these are stored."""
        reader = StoredReader(self._dataset, self.path, self.bands, self._alpha, self._top, self._left)
        return reader, reader.storage(self.scaling, self._more_nodata, self._filling)

    def describe_bands(self) -> list[dict[str, Any]]:
        """Return number, description, data type and nodata value of each chosen band."""
        facts = list(zip(self._file.descriptions, self._file.dtypes, self._file.nodatavals))
        names = "band", "description", "dtype", "nodata"
        return [dict(zip(names, (band, facts[band - 1][0] or "", *facts[band - 1][1:]))) for band in self.bands]

    def tags(self) -> dict[str, str]:
        """Return the tags of the raster and its chosen bands; of joined files those that all have with one value."""
        return tags_in([self._file], self.bands) if len(self._arguments[0]) == 1 else tags_of(self._arguments[0])

    def labels(self) -> Labels:
        """Return the name of each band: its description, a tag, or the name of a file."""
        return label_bands(self._file, self.bands)

    def close(self) -> None:
        if self._dataset is not self._file:
            self._dataset.close()
        self._file.close()

    def __enter__(self) -> RasterSource:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
