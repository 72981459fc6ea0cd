"""Make the overviews of a class map while it is written: each of their pixels is the most frequent class under it.

GDAL reads the finished map again and counts pixel by pixel, which takes several times as long, when all else is done.
Here pixels are counted class by class, as sums of squares of two by two, a row of blocks at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

Bytes = NDArray[np.uint8]
# Columns counted at once, as far as the processor's cache holds them.
COLUMNS = 2048
# The level from which counts are held in larger numbers than bytes: squares of 16 by 16 pixels.
WIDENED = 3


class ClassOverviews:
    """Write overviews as files of their own, which `backend.output.cog.rearrange` joins with the map.

    Args:
        folder: For the files; private.
        profile: Of the map, as rasterio has it; its blocks are as high as the largest factor, or higher.
        factors: 2, 4, 8 and so on.
        palette: Colours (red, green, blue) by class.

    Raises:
        RasterioError: A file can't be written; all methods.
    """

    def __init__(
        self, folder: Path, profile: dict[str, Any], factors: Sequence[int], palette: dict[int, tuple[int, int, int]]
    ) -> None:
        self._factors, self._values, self._nodata = factors, sorted(palette), int(profile["nodata"])
        self._levels: list[_Level] = []
        for factor in factors:
            size = {"width": -(-profile["width"] // factor), "height": -(-profile["height"] // factor)}
            place = {"transform": profile["transform"] * Affine.scale(factor)}
            level = _Level(folder / f"overview{factor}.tif", {**profile, **size, **place})
            level.file.write_colormap(1, {value: (*colour, 255) for value, colour in palette.items()})
            self._levels.append(level)

    def add(self, rows: Bytes) -> None:
        """Take the next row of blocks of the map, uint8 [rows, width]."""
        largest = self._factors[-1]
        step = -(-COLUMNS // largest) * largest
        parts = []
        for left in range(0, rows.shape[1], step):
            part = rows[:, left : left + step]
            short = [(0, -side % largest) for side in part.shape]
            filled = np.pad(part, short, constant_values=self._nodata)
            parts.append(majorities(filled, self._values, self._nodata, len(self._factors)))
        for level, factor, found in zip(self._levels, self._factors, zip(*parts)):
            level.write(np.concatenate(found, axis=1)[: -(-len(rows) // factor)])

    def close(self) -> list[Path]:
        """Close the files and return their paths, the largest overview first."""
        for level in self._levels:
            level.file.close()
        return [level.path for level in self._levels]


class _Level:
    """Write the blocks of a file once each, in their order."""

    def __init__(self, path: Path, profile: dict[str, Any]) -> None:
        self.path, self.file = path, rasterio.open(path, "w", **profile)
        self._block, self._written = int(profile["blockysize"]), 0
        self._held: list[Bytes] = []

    def write(self, rows: Bytes) -> None:
        """Append rows, which fill a block exactly once there are enough of them; beyond the width they are cut off."""
        self._held.append(rows[:, : self.file.width])
        count = sum(map(len, self._held))
        if count >= self._block or self._written + count == self.file.height:
            self.file.write(np.concatenate(self._held), 1, window=Window(0, self._written, self.file.width, count))
            self._held, self._written = [], self._written + count


def majorities(block: Bytes, values: Sequence[int], nodata: int, levels: int) -> list[Bytes]:
    """Return the most frequent class in squares of 2, 4, 8 and so on pixels a side.

    Of classes that are equally frequent it is that of the first quarter of the square, so that none is preferred.

    Args:
        block: uint8 [rows, columns], multiples of the largest square.
        values: Classes that are counted.
        nodata: For squares without one of them.
        levels: How many sizes of squares; 8 at most.
    """
    masks = ((value, block == value) for value in values if value != nodata)
    counts: dict[int, NDArray[Any]] = {value: mask.view(np.uint8) for value, mask in masks if mask.any()}
    finer, found = block, []
    for level in range(levels):
        if level == WIDENED:
            counts = {value: count.astype(np.uint32) for value, count in counts.items()}
        kind: Any = np.uint16 if level < WIDENED else np.uint32
        first = np.ascontiguousarray(finer[::2, ::2])
        # The class is the lowest byte, above it a bit for the first quarter, above that the count.
        top = np.full(first.shape, 256 + nodata, dtype=kind)
        for value, each in counts.items():
            counts[value] = count = _halved(each)
            votes = np.multiply(count, kind(512), dtype=kind)
            votes += np.multiply(first == value, kind(256), dtype=kind)
            votes += kind(value)
            np.maximum(top, votes, out=top)
        finer = (top & kind(255)).astype(np.uint8)
        found.append(finer)
    return found


def _halved(counts: NDArray[Any]) -> NDArray[Any]:
    """Return the sums of squares of two by two; bytes stay bytes."""
    rows = counts[::2] + counts[1::2]
    if counts.dtype == np.uint8:
        pairs = rows.view(np.uint16)  # several times as fast as every other byte
        halved: NDArray[Any] = (pairs + (pairs >> np.uint16(8))).astype(np.uint8)
    else:
        halved = rows[:, ::2] + rows[:, 1::2]
    return halved
