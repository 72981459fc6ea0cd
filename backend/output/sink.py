"""Write a GeoTIFF row by row under a temporary name, and rename it when it is complete and checked.

Compression is deflate at level 1: zstd writes floats three times as fast, but older GIS can't read it, and the model is
slower than both. Date and legend go into the .aux.xml, so that equal runs write equal files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from backend.core.errors import ResourceError
from backend.output.class_overviews import ClassOverviews
from backend.output.cog import rearrange
from backend.output.overviews import add_overviews, overview_factors
from backend.output.transaction import RasterFiles, place_together
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid

BLOCK = 256
# Most bytes of a row of blocks, which is buffered until it is complete; for many bands blocks are made lower.
ROW_BYTES = 2**27
LOWEST_BLOCK = 16  # TIFF needs multiples of 16
# Bytes of a disk that are left free when a file is rewritten in another order.
SPARE_BYTES = 2**16


@dataclass(frozen=True)
class Layer:
    """Hold contents of a raster to be written.

    Attributes:
        dtype: uint8 or float32.
        nodata: Value of pixels without a result.
        descriptions: Name of each band.
        palette: Colours (red, green, blue) by value, for classes; empty for continuous values.
        tags: Metadata of the file.
        rgb: Whether the bands are red, green and blue.
        scales: Factor of each band for stored values; empty if values are stored as they are.
        offsets: Offset of each band, added after that; as many as scales.
    """

    dtype: str
    nodata: float
    descriptions: Sequence[str]
    palette: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    rgb: bool = False
    scales: Sequence[float] = ()
    offsets: Sequence[float] = ()


class RasterSink:
    """Write rows of a GeoTIFF from top to bottom; nothing has the final name before `commit`.

    Args:
        path: Final name.
        grid: CRS, transform and size.
        layer: Contents.
        scratch: See `RasterFiles`.

    Attributes:
        files: The raster and its sidecars, under temporary names.

    Raises:
        ResourceError: Writing fails; all methods.
    """

    def __init__(self, path: Path, grid: Grid, layer: Layer, scratch: str = "") -> None:
        self._grid, self._layer = grid, layer
        self._bands, self._factors = len(layer.descriptions), overview_factors(grid.width, grid.height)
        self._block = _block_rows(self._bands * grid.width * np.dtype(layer.dtype).itemsize)
        # Rows of blocks that are not complete yet, as far as they have come.
        self._pending: NDArray[Any] = np.empty((self._bands, self._block, grid.width), dtype=layer.dtype)
        self._held = self._written = 0
        self._last: NDArray[Any] = np.empty(0)
        self._file: Any = None
        self._overviews: ClassOverviews | None = None
        self.files = RasterFiles(path, scratch)
        try:
            self._create()
        except BaseException:
            self.discard()
            raise

    def _create(self) -> None:
        layer = self._layer
        with self.files.refusing():
            self._file = rasterio.open(self.files.part, "w", **self._profile())
            self._file.update_tags(**layer.tags)
            for band, description in enumerate(layer.descriptions, 1):
                self._file.set_band_description(band, description)
            if layer.scales:
                self._file.scales, self._file.offsets = layer.scales, layer.offsets
            if layer.palette:
                self._file.write_colormap(1, {value: (*colour, 255) for value, colour in layer.palette.items()})
                # Larger squares than a block is high aren't counted; only maps of over 65,536 pixels a side have them.
                factors = [factor for factor in self._factors if factor <= self._block]
                if factors:
                    self._overviews = ClassOverviews(self.files.part.parent, self._profile(), factors, layer.palette)

    def _profile(self) -> dict[str, Any]:
        floats = self._layer.dtype == "float32"
        # By default GDAL takes three bands of bytes for red, green and blue, and a fourth for transparency.
        colours = {"photometric": "rgb" if self._layer.rgb else "minisblack", "alpha": "unspecified"}
        return {
            "driver": "GTiff",
            "dtype": self._layer.dtype,
            "nodata": self._layer.nodata,
            "count": self._bands,
            "crs": self._grid.crs,
            "transform": self._grid.transform,
            "width": self._grid.width,
            "height": self._grid.height,
            "tiled": True,
            "blockxsize": BLOCK,
            "blockysize": self._block,
            "interleave": "band",
            "compress": "deflate",
            "zlevel": 1,
            "predictor": 3 if floats else 1,
            "bigtiff": "if_safer",
            **({} if self._layer.palette else colours),
        }

    def write(self, rows: NDArray[Any]) -> None:
        """Append rows, shape [bands, rows, width]. Complete rows of blocks are written, each once."""
        done = 0
        while done < rows.shape[1]:
            count = min(self._block - self._held, rows.shape[1] - done)
            self._pending[:, self._held : self._held + count] = rows[:, done : done + count]
            self._held, done = self._held + count, done + count
            if self._held == self._block or self._written + self._held == self._grid.height:
                self._store(self._pending[:, : self._held])

    def _store(self, block: NDArray[Any]) -> None:
        # One row of blocks at a time, all its bands: the order in the file does not depend on how rows were given.
        with self.files.refusing():
            self._file.write(block, window=Window(0, self._written, self._grid.width, block.shape[1]))
            if self._overviews is not None:
                self._overviews.add(block[0])
        self._written, self._held = self._written + block.shape[1], 0
        self._last = block[:, -1:].copy()

    def finish(self, overviews: bool = True) -> None:
        """Close, re-open and check the file, add overviews, and bring it into the order of a Cloud Optimized GeoTIFF.

        On a disk without space for a second copy it stays as it was written, which is a valid GeoTIFF too.

        Args:
            overviews: False for a raster that is only read again by this run: it stays as it was written.
        """
        if self._written != self._grid.height:
            raise AssertionError(f"{self._written} of {self._grid.height} rows were written")
        with self.files.refusing():
            self._file.close()
            self._check()
            made = self._overviews.close() if self._overviews is not None else []
            if overviews:
                self._order(made)
                self._check()

    def _check(self) -> None:
        with rasterio.open(self.files.part) as file:
            same = (
                (file.width, file.height, file.count) == (self._grid.width, self._grid.height, self._bands)
                and file.transform == self._grid.transform
                and set(file.dtypes) == {self._layer.dtype}
            )
            last = file.read(window=Window(0, self._grid.height - 1, self._grid.width, 1))
            if not same or not np.array_equal(last, self._last, equal_nan=self._layer.dtype == "float32"):
                raise ResourceError(f"{self.files.path} was not written whole.", "Check the disk, and run again.")

    def _order(self, made: Sequence[Path]) -> None:
        """Add overviews, those that were made or else GDAL's, and bring all into order."""
        if not made or not self._room(made):
            for path in made:
                path.unlink()
            add_overviews(self.files.part, self._factors, _method(self._layer), BLOCK)
            made = ()
        # It takes the space of the file once more for a moment. A finished map isn't lost for want of that.
        if self._room(made):
            rearrange(self.files.part, made)
        for path in made:
            path.unlink()

    def _room(self, more: Sequence[Path]) -> bool:
        needed = sum(path.stat().st_size for path in (self.files.part, *more)) + SPARE_BYTES
        return shutil.disk_usage(self.files.part.parent).free > needed

    def thumbnail(self, side: int = 512, band: int = 1) -> NDArray[Any]:
        """Return a band of the finished file, [rows, columns], decimated to at most `side` pixels a side."""
        step = max(1, -(-max(self._grid.width, self._grid.height) // side))
        shape = (-(-self._grid.height // step), -(-self._grid.width // step))
        with rasterio.open(self.files.part) as file:
            data: NDArray[Any] = file.read(band, out_shape=shape)
        return data

    def rows(self) -> Iterator[NDArray[Any]]:
        """Yield the finished file from top to bottom: [bands, rows, width] for each row of blocks."""
        with rasterio.open(self.files.part) as file:
            for top in range(0, self._grid.height, self._block):
                count = min(self._block, self._grid.height - top)
                with self.files.refusing():
                    rows = file.read(window=Window(0, top, self._grid.width, count))
                yield rows

    def commit(self) -> None:
        """Rename a single output and its sidecars to their final names."""
        place_together([self.files])

    def discard(self) -> None:
        """Remove the temporary files; does nothing after `commit`."""
        with suppress(*RASTER_ERRORS):
            if self._file is not None and not self._file.closed:
                self._file.close()
            if self._overviews is not None:
                self._overviews.close()
        self.files.discard()


def _method(layer: Layer) -> Resampling:
    """Return how GDAL makes overviews of a layer."""
    if layer.palette:
        return Resampling.mode
    flags = layer.dtype == "uint8" and not (layer.rgb or layer.scales)
    return Resampling.nearest if flags else Resampling.average


def _block_rows(row_bytes: int) -> int:
    """Return the rows of a block: BLOCK, halved until a row of blocks has at most ROW_BYTES."""
    rows = BLOCK
    while rows > LOWEST_BLOCK and rows * row_bytes > ROW_BYTES:
        rows //= 2
    return rows
