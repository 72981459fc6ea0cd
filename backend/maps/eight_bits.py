"""Store values in eight bits, with the scale and offset by which programs that know GeoTIFFs read them as numbers.

Linear quantisation to 255 steps between the least and the largest value of a band: 0 to 254 are values, 255 is nodata.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.output.sink import Layer

STEPS, NOTHING = 254, 255
BITS = (8, 32)


def check_bits(bits: int) -> None:
    """Refuse another number of bits than 8 or 32.

    Raises:
        InputError: The number is neither 8 nor 32.
    """
    if bits not in BITS:
        raise InputError(f"Values can't be stored in {bits} bits.", "Choose 8 (bytes) or 32 (floats).")


class ByteCode:
    """Turn values of bands into bytes.

    Args:
        low: Value of byte 0, float32 [bands].
        high: Value of byte STEPS; a band without spread gets a scale of 1.
    """

    def __init__(self, low: FloatArray, high: FloatArray) -> None:
        self._low = low.astype(np.float64)
        step = (high.astype(np.float64) - self._low) / STEPS
        self._step = np.where(step > 0, step, 1.0)

    def encode(self, values: FloatArray, valid: BoolArray) -> NDArray[np.uint8]:
        """Return values [bands, rows, columns] as bytes; NOTHING where not valid [rows, columns]."""
        steps = (values - self._low[:, None, None]) / self._step[:, None, None]
        steps = np.clip(np.rint(np.where(valid, steps, 0)), 0, STEPS)
        coded: NDArray[np.uint8] = np.where(valid, steps, NOTHING).astype(np.uint8)
        return coded

    def layer(self, names: Sequence[str]) -> Layer:
        """Return the layer of such bytes, with a name for each band."""
        return Layer("uint8", NOTHING, names, scales=tuple(self._step), offsets=tuple(self._low))


class Range:
    """Keep the least and the largest value of each band, of all that was added.

    Args:
        bands: Their number.
    """

    def __init__(self, bands: int) -> None:
        self._low, self._high = np.full(bands, np.inf, np.float32), np.full(bands, -np.inf, np.float32)

    def add(self, values: FloatArray) -> None:
        """Take values [bands, n] into account."""
        if values.shape[1]:
            self._low = np.minimum(self._low, values.min(axis=1))
            self._high = np.maximum(self._high, values.max(axis=1))

    def code(self) -> ByteCode:
        """Return the code that spans the range."""
        return ByteCode(self._low, self._high)


def share_code(bands: int = 1) -> ByteCode:
    """Return the code of shares and probabilities, 0 to 1."""
    return ByteCode(np.zeros(bands, np.float32), np.ones(bands, np.float32))
