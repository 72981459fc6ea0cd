"""Cut square tiles out of rasters: at random places, from the centre, or so that they cover the raster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Window(NamedTuple):
    """Describe a rectangle of a raster, in pixels."""

    top: int
    left: int
    height: int
    width: int


def cut(values: NDArray[Scalar], window: Window) -> NDArray[Scalar]:
    """Return a view of a window of [..., H, W]."""
    top, left, height, width = window
    return values[..., top : top + height, left : left + width]


def extend(values: NDArray[Scalar], side: int, fill: int | None = None) -> NDArray[Scalar]:
    """Pad [..., h, w] below and to the right to [..., side, side]: by reflection, or with the value `fill`."""
    missing = tuple((0, side - size) for size in values.shape[-2:])
    if not any(end for _, end in missing):
        return values
    pad = ((0, 0),) * (values.ndim - 2) + missing
    return np.pad(values, pad, mode="symmetric") if fill is None else np.pad(values, pad, constant_values=fill)


def random_window(shape: Sequence[int], sides: int | Sequence[int], rng: np.random.Generator) -> Window:
    """Draw a window of a raster of `shape` (H, W): a square, or of `sides` (h, w); shorter axes are taken whole."""
    height, width = (sides, sides) if isinstance(sides, int) else sides
    top, left = (int(rng.integers(0, max(size - side, 0) + 1)) for size, side in zip(shape, (height, width)))
    return Window(top, left, min(height, shape[0]), min(width, shape[1]))


def centre_window(shape: tuple[int, ...], side: int, patch: int) -> Window:
    """Return the centre of a raster: along each axis at most `side` pixels and a multiple of `patch`, maybe 0."""
    height, width = _whole_patches(shape, side, patch)
    return Window((shape[0] - height) // 2, (shape[1] - width) // 2, height, width)


def grid_windows(shape: tuple[int, ...], side: int, patch: int) -> list[Window]:
    """Tile a raster without overlap, in the size of `centre_window`; the rest at the far edges is left out."""
    height, width = _whole_patches(shape, side, patch)
    if not height or not width:
        return []
    return [
        Window(top, left, height, width)
        for top in range(0, shape[0] - height + 1, height)
        for left in range(0, shape[1] - width + 1, width)
    ]


def covering_windows(shape: tuple[int, ...], side: int) -> list[tuple[Window, tuple[int, int]]]:
    """Cover a raster with windows of `side` pixels, row by row; the last along an axis overlaps its neighbour.

    Returns:
        Each window with the numbers of its rows and columns that earlier windows cover.
    """
    height, width = (min(side, size) for size in shape)
    return [
        (Window(top, left, height, width), (rows, columns))
        for top, rows in _starts(shape[0], side)
        for left, columns in _starts(shape[1], side)
    ]


def _whole_patches(shape: tuple[int, ...], side: int, patch: int) -> tuple[int, int]:
    height, width = (min(side, size // patch * patch) for size in shape)
    return height, width


def _starts(size: int, side: int) -> list[tuple[int, int]]:
    whole = [(start, 0) for start in range(0, size - side + 1, side)]
    rest = size - len(whole) * side
    if not whole:
        return [(0, 0)]
    return [*whole, (size - side, side - rest)] if rest else whole
