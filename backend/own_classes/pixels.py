"""Find the pixels of samples on a grid.

A point gives the one pixel it lies in: its neighbours may be of other classes, and its features include focal
statistics anyway. A polygon gives the pixels whose centres it holds, or, if it holds none, those it touches. Of a large
polygon, whose pixels are much alike, some are drawn at random; polygons of any size have equal weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from rasterio.features import bounds as geometry_bounds
from rasterio.features import rasterize

from backend.core.arrays import BoolArray, IntArray
from backend.own_classes.samples import Sample
from backend.raster.grid import Rectangle

PER_SAMPLE = 64  # pixels of one polygon
TOTAL = 20_000  # pixels of all samples: a bound on memory and time
# A polygon over more pixels than this is rasterised on a coarser grid.
BURNT = 2**22


@dataclass(frozen=True)
class SamplePixels:
    """Hold pixels of samples on a grid, int64 [n] each.

    Attributes:
        rows: Row of each pixel, from 0.
        columns: Column of each pixel, from 0.
        sample: Index of its sample.
    """

    rows: IntArray
    columns: IntArray
    sample: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: BoolArray | IntArray) -> SamplePixels:
        """Return some of the pixels."""
        return SamplePixels(self.rows[which], self.columns[which], self.sample[which])

    def inside(self, part: Rectangle) -> BoolArray:
        """Return which pixels lie in a part of the grid, bool [n]."""
        down, across = self.rows - part.top, self.columns - part.left
        found: BoolArray = (down >= 0) & (down < part.height) & (across >= 0) & (across < part.width)
        return found


def find_pixels(
    samples: Sequence[Sample], transform: Affine, height: int, width: int, seed: int = 0, total: int = TOTAL
) -> SamplePixels:
    """Find the pixels of all samples; pixels outside the grid are left out.

    Args:
        samples: Samples in the grid's coordinates.
        transform: Transform from (column, row) to coordinates.
        height: Rows of the grid.
        width: Columns of the grid.
        seed: Seed of the draw of pixels from large polygons.
        total: Most pixels.
    """
    rng = np.random.default_rng(seed)
    limit = max(1, min(PER_SAMPLE, total // len(samples)))
    parts = []
    for number, sample in enumerate(samples):
        rows, columns = _burn(sample, transform, (height, width))
        if len(rows) > limit:
            chosen = np.sort(rng.choice(len(rows), limit, replace=False))
            rows, columns = rows[chosen], columns[chosen]
        parts.append(SamplePixels(rows, columns, np.full(len(rows), number, dtype=np.int64)))
    found = SamplePixels(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "columns", "sample"))
    )
    if len(found) > total:
        found = found.take(np.sort(rng.choice(len(found), total, replace=False)))
    return found


def without_overlaps(
    samples: Sequence[Sample], pixels: SamplePixels, transform: Affine, height: int, width: int
) -> tuple[BoolArray, int]:
    """Leave out pixels that samples of two classes cover, and duplicates.

    Of large polygons only some pixels are in `pixels`; overlaps are tested with the whole polygons.

    Args:
        samples: All samples.
        pixels: Pixels of samples.
        transform: Transform from (column, row) to coordinates.
        height: Rows of the grid.
        width: Columns of the grid.

    Returns:
        Mask of the pixels to keep, [n], and the number of pixels that two classes cover.
    """
    order = {label: number for number, label in enumerate(dict.fromkeys(sample.label for sample in samples))}
    kinds = np.array([order[sample.label] for sample in samples], dtype=np.int64)
    contested = np.zeros(len(pixels), dtype=np.bool_)
    for number, sample in enumerate(samples):
        top, left, bottom, right = _box(sample, transform, (height, width))
        near = (pixels.rows >= top) & (pixels.rows < bottom) & (pixels.columns >= left) & (pixels.columns < right)
        others = np.flatnonzero(near & (kinds[pixels.sample] != kinds[number]))
        if len(others):
            rows, columns = _burn(sample, transform, (height, width))
            contested[others] |= np.isin(_key(pixels.take(others), width), rows * width + columns)
    _, first = np.unique(_key(pixels, width), return_index=True)
    once = np.zeros(len(pixels), dtype=np.bool_)
    once[first] = True
    return once & ~contested, len(np.unique(_key(pixels, width)[contested]))


def _key(pixels: SamplePixels, width: int) -> IntArray:
    key: IntArray = pixels.rows * width + pixels.columns
    return key


def _burn(sample: Sample, transform: Affine, shape: tuple[int, int]) -> tuple[IntArray, IntArray]:
    top, left, bottom, right = _box(sample, transform, shape)
    if top >= bottom or left >= right:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    step = math.ceil(math.sqrt(max(1.0, (bottom - top) * (right - left) / BURNT)))
    window = transform * Affine.translation(left, top) * Affine.scale(step)
    size = (math.ceil((bottom - top) / step), math.ceil((right - left) / step))
    burnt = rasterize([sample.geometry], size, transform=window, dtype="uint8")
    if not burnt.any():
        burnt = rasterize([sample.geometry], size, transform=window, dtype="uint8", all_touched=True)
    rows, columns = np.nonzero(burnt)
    rows, columns = rows * step + step // 2 + top, columns * step + step // 2 + left
    inside = (rows < shape[0]) & (columns < shape[1])
    return rows[inside].astype(np.int64), columns[inside].astype(np.int64)


def _box(sample: Sample, transform: Affine, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of the pixels that a sample may touch, within the grid."""
    xmin, ymin, xmax, ymax = geometry_bounds(sample.geometry)
    back = ~transform
    corners = [back * corner for corner in ((xmin, ymin), (xmin, ymax), (xmax, ymin), (xmax, ymax))]
    columns, rows = [c for c, _ in corners], [r for _, r in corners]
    top, left = max(0, math.floor(min(rows))), max(0, math.floor(min(columns)))
    return top, left, min(shape[0], math.floor(max(rows)) + 1), min(shape[1], math.floor(max(columns)) + 1)
