"""Read values as a raster stores them, for those who convert them elsewhere: on a card, with a thread for each handle.

`backend.raster.source.RasterSource` gives the same values converted to float32, with their validity.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from backend.core.arrays import BoolArray
from backend.core.errors import UnreadableError
from backend.raster.errors import RASTER_ERRORS

Number = float
# Files of a virtual raster that are asked for their blocks, and most bytes of its description that are read.
MOST_ASKED, MOST_DESCRIBED = 4, 16 * 2**20


def one_thread_a_handle(handles: int) -> AbstractContextManager[Any]:
    """Return GDAL settings under which rasters are opened whose handles are several threads' themselves.

    Otherwise handles of one virtual raster share those of its files, which two threads must not use at once.
    """
    return rasterio.Env(GDAL_NUM_THREADS=1, VRT_SHARED_SOURCE="NO") if handles > 1 else nullcontext()


@dataclass(frozen=True)
class Storage:
    """Describe the stored values of the bands that are read.

    Attributes:
        kinds: Data type of each band, as of NumPy.
        nodata: Of each band, the stored values that are no data; those that its type can't hold are left out.
        scales: By which a stored value of each band is multiplied.
        offsets: Added after that.
        filling: Rows of bands, and values after scale and offset that are no data.
        masked: Whether a mask or a band of transparency says more about validity.
        block: Rows and columns of a stored block; of the files, where the raster is put together from some.
        shareable: Whether several handles may read parts of it without decoding the same blocks.
    """

    kinds: tuple[str, ...]
    nodata: tuple[tuple[Number, ...], ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    filling: tuple[tuple[int, float], ...]
    masked: bool
    block: tuple[int, int]
    shareable: bool


@dataclass(frozen=True)
class StoredReader:
    """Read windows of an opened raster into arrays, from one thread at a time.

    Attributes:
        dataset: Opened, on a grid.
        path: Its name, for messages.
        bands: Numbers of the bands.
        alpha: Number of the band of transparency; 0 if there is none.
        top: Row of the raster that counts as row 0.
        left: Column of the raster that counts as column 0.
    """

    dataset: Any
    path: str
    bands: tuple[int, ...]
    alpha: int
    top: int
    left: int

    def storage(
        self, scaling: Sequence[tuple[float, float]], more_nodata: Sequence[float], filling: Sequence[tuple[int, float]]
    ) -> Storage:
        """Return how the values are stored.

        Args:
            scaling: Scale and offset of each band.
            more_nodata: Stored values that are no data in addition to those that the raster declares.
            filling: As of `Storage`.
        """
        every, declared = self.dataset.dtypes, self.dataset.nodatavals
        kinds = tuple(str(every[band - 1]) for band in self.bands)
        told = [[*more_nodata, *filter(lambda value: value is not None, (declared[band - 1],))] for band in self.bands]
        block, shareable = _block(self.dataset, self.bands[0])
        return Storage(
            kinds,
            tuple(_held(kind, values) for kind, values in zip(kinds, told)),
            tuple(scale for scale, _ in scaling),
            tuple(offset for _, offset in scaling),
            tuple(filling),
            bool(self.alpha or self._masks()),
            block,
            shareable,
        )

    def read(self, window: tuple[int, int], out: NDArray[Any], valid: BoolArray | None = None) -> None:
        """Read a window, as large as the array.

        Args:
            window: Its top and left.
            out: [bands, rows, columns] of the bands' type; any part of an array.
            valid: [rows, columns], set to what masks and transparency say; None where nothing of that kind is there.

        Raises:
            UnreadableError: The file is truncated or damaged there.
        """
        top, left = window
        where = Window(self.left + left, self.top + top, out.shape[2], out.shape[1])
        try:
            # Together, as files hold all bands of a pixel, or of a block, in one place.
            self.dataset.read(list(self.bands), window=where, out=out)
            if valid is not None:
                valid[:] = True
                for band in self._masks():
                    valid &= self.dataset.read_masks(band, window=where) != 0
                if self.alpha:
                    valid &= self.dataset.read(self.alpha, window=where) != 0
        except (*RASTER_ERRORS, UnicodeDecodeError) as error:
            raise UnreadableError(
                f"{self.path} can't be read at row {top}: it is truncated or damaged.",
                "Copy or download the file again.",
            ) from error

    def _masks(self) -> list[int]:
        """Return the bands with a mask of their own; transparency is read as a band."""
        flags = self.dataset.mask_flag_enums
        wanted = ((band, flags[band - 1]) for band in self.bands)
        return [band for band, told in wanted if MaskFlags.per_dataset in told and MaskFlags.alpha not in told]


def _held(kind: str, values: Sequence[float]) -> tuple[Number, ...]:
    """Return those finite values that a type can hold, as it holds them: the tag is decimal text."""
    dtype = np.dtype(kind)
    finite = [value for value in values if np.isfinite(value)]
    if dtype.kind == "f":
        return tuple(float(dtype.type(value)) for value in finite)
    if dtype.kind not in "iu":
        return ()
    span = np.iinfo(dtype)
    return tuple(int(value) for value in finite if float(value).is_integer() and span.min <= value <= span.max)


def _block(dataset: Any, band: int) -> tuple[tuple[int, int], bool]:
    """Return rows and columns of a block of the files that are read, and whether several handles may read them."""
    own = dataset.block_shapes[band - 1]
    if isinstance(dataset, WarpedVRT):
        return own, False
    if dataset.driver != "VRT":
        return own, True
    if _insists_on_sharing(dataset.name):
        return own, False
    shapes = []
    for name in [name for name in dataset.files if not name.lower().endswith((".vrt", ".xml", ".ovr"))][:MOST_ASKED]:
        try:
            with rasterio.open(name) as file:
                rows, columns = file.block_shapes[0]
                if columns >= file.width != dataset.width:
                    return own, False  # each handle would decode all of such blocks
        except (*RASTER_ERRORS, IndexError, UnicodeDecodeError):
            return own, False
        shapes.append((rows, columns))
    return (max(rows for rows, _ in shapes), max(columns for _, columns in shapes)) if shapes else own, bool(shapes)


def _insists_on_sharing(name: str) -> bool:
    """Return whether handles of a virtual raster share those of its files whatever the settings, or may do so."""
    if name.lstrip().startswith("<"):
        return False  # its description, by `backend.raster.virtual`
    try:
        path = Path(name)
        return path.stat().st_size > MOST_DESCRIBED or 'shared="1"' in path.read_text(
            encoding="utf-8", errors="replace"
        )
    except OSError:  # on no disk
        return True
