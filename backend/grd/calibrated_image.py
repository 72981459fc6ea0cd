"""Convert digital numbers to power, row by row, in image geometry.

value = (DN² - noise) / A², with the tables of `tables.py`. Values below 0 are kept: where there is no echo, the mean of
(DN² - noise) is 0 only over values of both signs. They are raised to a floor after resampling (`resample.py`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Callable

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from backend.core.arrays import FloatArray
from backend.core.regular_file import NOT_A_FILE, is_special
from backend.grd.border_noise import Border, Rows
from backend.grd.damage import DamagedProductError
from backend.grd.product import Channel, Product
from backend.grd.tables import NoiseTable, calibration_table, noise_table
from backend.raster.errors import RASTER_ERRORS


class CalibratedImage:
    """Read rows of calibrated backscatter; a context manager.

    Args:
        product: GRD product.
        quantity: "sigma0", "gamma0" or "beta0".
        polarisations: Bands to read, in this order.

    Attributes:
        notes: (level, message) for the user.
        denoised: Whether thermal noise is removed, here or by the processor.

    Raises:
        InputError: A part is missing or damaged.
    """

    def __init__(self, product: Product, quantity: str, polarisations: Sequence[str]) -> None:
        self.notes: list[tuple[str, str]] = []
        self.height, self.width = product.channels[0].shape
        by_name = {channel.polarisation: channel for channel in product.channels}
        with ExitStack() as stack:
            self._bands = [_Band(product, by_name[name], quantity, stack) for name in polarisations]
            self._border = self._find_border(product, quantity, stack)
            self._stack = stack.pop_all()
        self.denoised = all(band.denoised for band in self._bands)
        if product.left_out:
            self.notes.append(
                (
                    "warning",
                    f"The manifest names {', '.join(product.left_out)} too, but no file of it is there: the "
                    f"product is used with {', '.join(product.polarisations)}.",
                )
            )
        if not self.denoised:
            self.notes.append(
                ("warning", "The product has no usable thermal noise table; thermal noise is not removed.")
            )

    def _find_border(self, product: Product, quantity: str, stack: ExitStack) -> Callable[[int, int], Any] | None:
        """Return a function that masks border noise in rows; None if the processor has set it to 0."""
        co_polarised = _Band(product, product.channels[0], quantity, stack)
        if not co_polarised.has_border_noise:
            return None
        border = Border(co_polarised.numbers_and_noise, (self.height, self.width))
        self.notes.append(("info", "The product is older than IPF 2.90: border noise is masked by its level."))
        return lambda top, bottom: border.mask(top, *co_polarised.numbers_and_noise(top, bottom))

    def read(self, top: int, bottom: int) -> FloatArray:
        """Read lines as linear power, float32 [bands, rows, width]; NaN for nodata.

        Raises:
            InputError: A measurement file is truncated or damaged.
        """
        values = np.stack([band.power(top, bottom) for band in self._bands])
        if self._border is not None:
            values[:, self._border(top, bottom)] = np.nan
        return values

    def __enter__(self) -> CalibratedImage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class _Band:
    """Hold one polarisation: digital numbers and tables."""

    def __init__(self, product: Product, channel: Channel, quantity: str, stack: ExitStack) -> None:
        self._name = channel.measurement
        self._height, self._width = channel.shape
        self._file = stack.enter_context(_open(channel))
        self._factor = calibration_table(channel, quantity)
        noise = noise_table(product, channel)
        self.has_border_noise = noise.single if noise is not None else (product.processor or 0) < 2.9
        self.denoised = channel.denoised or noise is not None
        self._noise: NoiseTable | None = None if channel.denoised else noise

    def power(self, top: int, bottom: int) -> FloatArray:
        """Read linear power, float32 [rows, width]; NaN where the digital number is 0, the nodata value."""
        numbers, noise = self.numbers_and_noise(top, bottom)
        values: FloatArray = (numbers * numbers - noise) / np.square(self._factor.rows(top, bottom))
        values[numbers == 0] = np.nan
        return values

    def numbers_and_noise(self, top: int, bottom: int) -> tuple[Rows, Rows]:
        """Return digital numbers, and noise in squared digital numbers, float32 [rows, width] each."""
        try:
            window = Window(0, top, self._width, bottom - top)
            numbers: Rows = self._file.read(1, window=window).astype(np.float32)
        except RASTER_ERRORS as error:
            raise DamagedProductError(
                f"{self._name} can't be read at line {top}: it is truncated or damaged."
            ) from error
        noise = self._noise.rows(top, bottom) if self._noise is not None else np.zeros_like(numbers)
        return numbers, noise


def _open(channel: Channel) -> Any:
    if is_special(channel.measurement):
        raise DamagedProductError(f"{channel.measurement} can't be read: {NOT_A_FILE}.")
    if not channel.size:
        what = "missing (no such file)" if channel.size is None else "empty (0 bytes)"
        raise DamagedProductError(f"The image of {channel.polarisation} is {what}: {channel.measurement}.")
    # A GeoTIFF without sidecars: a virtual raster, or one as its sidecar, could show any file of this computer.
    alone = rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")
    with warnings.catch_warnings(), alone:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            file = rasterio.open(channel.measurement, driver="GTiff")
        except RASTER_ERRORS as error:
            raise DamagedProductError(
                f"GDAL can't open {channel.measurement} as GeoTIFF: it is something else, or damaged."
            ) from error
    height, width = channel.shape
    if (file.height, file.width, file.count, file.dtypes[0]) != (height, width, 1, "uint16"):
        found = f"{file.count} x {file.width} x {file.height} {file.dtypes[0]}"
        file.close()
        raise DamagedProductError(
            f"{channel.measurement} holds {found}; its annotation says 1 x {width} x {height} uint16."
        )
    return file
