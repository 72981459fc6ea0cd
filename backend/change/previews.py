"""Make small pictures of maps while they stream, for a report."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from backend.card.colours import rgb

SIDE = 420  # longest side of a picture, in pixels
NO_DATA = (255, 255, 255)


class Preview:
    """Collect every n-th pixel of every n-th row of a raster that comes in strips from the top.

    Args:
        height: Rows of the raster.
        width: Its columns.
    """

    def __init__(self, height: int, width: int) -> None:
        self._step = max(1, -(-max(height, width) // SIDE))
        self._rows: list[NDArray[Any]] = []

    def add(self, top: int, values: NDArray[Any]) -> None:
        """Add rows [rows, width] that begin at row `top`."""
        first = -top % self._step
        self._rows.append(np.array(values[first :: self._step, :: self._step]))

    def values(self) -> NDArray[Any]:
        """Return the small raster, [rows, columns]."""
        return np.concatenate(self._rows)


def painted(values: NDArray[Any], colours: Mapping[int, str]) -> NDArray[np.uint8]:
    """Return classes [H, W] as colours [3, H, W]; values without a colour are white."""
    result = np.empty((3, *values.shape), dtype=np.uint8)
    result[:] = np.array(NO_DATA, dtype=np.uint8)[:, None, None]
    for value, color in colours.items():
        result[:, values == value] = np.array(rgb(color), dtype=np.uint8)[:, None]
    return result


def grey(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return numbers [H, W] as grey [3, H, W], from black at `low` to white at `high`; NaN is white."""
    with np.errstate(invalid="ignore"):
        shade = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 235
    filled = np.where(np.isfinite(values), shade, 255).astype(np.uint8)
    return np.stack([filled] * 3)


def png_source(picture: NDArray[np.uint8]) -> str:
    """Return a picture [3, H, W] as the source of an <img>: a PNG within the page."""
    profile = {"driver": "PNG", "dtype": "uint8", "count": 3, "height": picture.shape[1], "width": picture.shape[2]}
    with MemoryFile() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(**profile) as file:
            file.write(picture)
        return "data:image/png;base64," + base64.b64encode(memory.read()).decode("ascii")
