"""Find the patches of a class map strip by strip: class, area, mean confidence, and borders with their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.core.arrays import DoubleArray, IntArray
from backend.core.errors import InputError
from backend.vectors.confidence import ConfidenceRaster
from backend.vectors.labelling import Labels, joined_groups, label_strip

# So many patches with their borders take about 2.5 GB. Maps have one for every few hundred pixels, noise one for two.
MOST_PATCHES = 2**22


@dataclass(frozen=True)
class Borders:
    """Hold the common borders of patches: `length[i]` metres between patches `a[i]` < `b[i]`, each pair once."""

    a: IntArray
    b: IntArray
    length: DoubleArray


@dataclass
class Patches:
    """Hold the patches of a class map, numbered from 1 by their first pixel, row by row; item 0 of tables is unused.

    Attributes:
        classes: Class of each.
        pixels: Number of pixels of each.
        area: Square metres of each (pixels, if the map has no coordinate system).
        confidence: Sum of the confidence over `confident` pixels.
        confident: Number of pixels with a confidence.
        last: The last strip that each has pixels in.
        borders: Only if they were asked for.
        offsets: Patches that were found in the strips before each strip, as `label_strip` numbers them.
        number: Patch by number in `label_strip` plus offset; 0 for 0.
    """

    classes: IntArray
    pixels: IntArray
    area: DoubleArray
    confidence: DoubleArray
    confident: IntArray
    last: IntArray
    borders: Borders | None
    offsets: list[int]
    number: Labels

    def renumbered(self, group: IntArray, classes: IntArray) -> Patches:
        """Return the patches after some were joined.

        Args:
            group: New number of each patch, 0 for 0; numbers are complete.
            classes: Class of each new patch.
        """
        count = classes.size
        last = np.zeros(count, np.int64)
        np.maximum.at(last, group, self.last)
        return Patches(
            classes=classes,
            pixels=weighted(group, self.pixels, count).astype(np.int64),
            area=weighted(group, self.area, count),
            confidence=weighted(group, self.confidence, count),
            confident=weighted(group, self.confident, count).astype(np.int64),
            last=last,
            borders=None,
            offsets=self.offsets,
            number=group.astype(np.int32)[self.number],
        )

    def means(self) -> DoubleArray:
        """Return the mean confidence of each patch, NaN where no pixel has one."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.confidence / self.confident

    def strips(self, class_map: ClassRaster) -> Iterator[tuple[int, int, Labels]]:
        """Read the map again; yield first and last (exclusive) row of each strip, and the patch of each pixel."""
        for (top, bottom), offset in zip(class_map.strips(), self.offsets):
            values, valid, _ = class_map.read(top, bottom)
            found, _ = label_strip(values, valid)
            yield top, bottom, self.number[np.where(found > 0, found + offset, 0)]


@dataclass
class _Collected:
    """Hold the patches of all strips, in the numbers of `label_strip` plus the offset of the strip."""

    count: int = 0
    offsets: list[int] = field(default_factory=list)
    tables: list[tuple[NDArray[np.generic], ...]] = field(default_factory=list)
    seams: list[tuple[Labels, Labels]] = field(default_factory=list)
    borders: list[tuple[IntArray, IntArray, DoubleArray]] = field(default_factory=list)


def find_patches(
    class_map: ClassRaster,
    areas: PixelAreas,
    confidence: ConfidenceRaster | None,
    borders: bool,
    advance: Callable[[int], None],
) -> Patches:
    """Find the patches of a map; memory depends on the width of the map and the number of patches.

    Args:
        class_map: The map.
        areas: Areas of its pixels.
        confidence: Confidence on the same grid; None if there is none.
        borders: Whether the lengths of common borders are wanted.
        advance: Called with the number of rows done; may raise.

    Raises:
        InputError: A raster can't be read, or the map has more than MOST_PATCHES patches.
    """
    found = _Collected()
    sides = class_map.grid.pixel_metres() or (1.0, 1.0)
    row: tuple[IntArray, Labels] | None = None
    for top, bottom in class_map.strips():
        values, valid, _ = class_map.read(top, bottom)
        labels, classes = label_strip(values, valid)
        size = np.broadcast_to(areas.rows(top, bottom), values.shape)
        sure = confidence.read(top, bottom) if confidence is not None else None
        found.tables.append(_table(labels, classes, size, sure, len(found.offsets)))
        found.offsets.append(found.count)
        labels = np.where(labels > 0, labels + np.int32(found.count), 0).astype(np.int32)
        found.count += classes.size - 1
        if found.count > MOST_PATCHES:
            raise InputError(
                f"{class_map.path} has more than {MOST_PATCHES} patches: it is noise rather than a map of classes.",
                "Smooth it first (in QGIS: GDAL > Raster analysis > Sieve).",
            )
        if row is not None:
            same = (row[0] == values[0]) & (row[1] > 0) & (labels[0] > 0)
            found.seams.append((row[1][same], labels[0][same]))
        if borders:
            above = labels if row is None else np.concatenate((row[1][None], labels))
            found.borders.append(_borders(above, labels, sides))
        row = values[-1], labels[-1]
        advance(bottom - top)
    if not found.count:
        raise InputError(f"{class_map.path} has no pixel with data.", "Choose another map, or check its nodata value.")
    return _joined(found, borders)


def weighted(items: NDArray[Any], weights: NDArray[Any], count: int) -> DoubleArray:
    """Return the sum of the weights of each of `count` items, float64."""
    sums: NDArray[Any] = np.bincount(items, weights, count)
    return sums.astype(np.float64, copy=False)


def _table(
    labels: Labels, classes: IntArray, size: DoubleArray, sure: DoubleArray | None, strip: int
) -> tuple[NDArray[np.generic], ...]:
    flat, count = labels.ravel(), classes.size
    sums, counts = np.zeros(count), np.zeros(count, np.int64)
    if sure is not None:
        known = np.isfinite(sure.ravel())
        sums = weighted(flat[known], sure.ravel()[known], count)
        counts = np.bincount(flat[known], minlength=count)
    pixels, area = np.bincount(flat, minlength=count), weighted(flat, size.ravel(), count)
    last = np.full(count, strip, np.int64)
    return tuple(column[1:] for column in (classes, pixels, area, sums, counts, last))


def _borders(above: Labels, labels: Labels, sides: tuple[float, float]) -> tuple[IntArray, IntArray, DoubleArray]:
    """Return pairs of different neighbours and the length of their border; `above` may begin a row earlier."""
    found = []
    for one, other, side in ((above[:-1], above[1:], sides[0]), (labels[:, :-1], labels[:, 1:], sides[1])):
        apart = (one != other) & (one > 0) & (other > 0)
        a, b = one[apart].astype(np.int64), other[apart].astype(np.int64)
        found.append((np.minimum(a, b), np.maximum(a, b), np.full(a.size, side)))
    a, b, length = (np.concatenate(column) for column in zip(*found))
    return sum_pairs(a, b, length)


def sum_pairs(a: IntArray, b: IntArray, length: DoubleArray) -> tuple[IntArray, IntArray, DoubleArray]:
    """Add the lengths of equal pairs; pairs are returned in order."""
    keys, place = np.unique(a << 32 | b, return_inverse=True)
    return keys >> 32, keys & 0xFFFFFFFF, weighted(place.ravel(), length, keys.size)


def _joined(found: _Collected, borders: bool) -> Patches:
    """Join the patches that strips cut."""
    a, b = (np.concatenate([seam[i] for seam in found.seams] or [np.zeros(0, np.int32)]) for i in (0, 1))
    number = np.concatenate(([0], joined_groups(a - 1, b - 1, found.count) + 1)).astype(np.int32)
    columns = [np.concatenate(([0], *column)) for column in zip(*found.tables)]
    same = np.arange(found.count + 1, dtype=np.int32)
    pieces = Patches(*columns, None, found.offsets, same)  # type: ignore[call-arg]
    classes = np.zeros(int(number.max()) + 1, np.int64)
    classes[number] = pieces.classes
    whole = pieces.renumbered(number.astype(np.int64), classes)
    if borders:
        one, other, length = (np.concatenate(column) for column in zip(*found.borders))
        one, other = number[one].astype(np.int64), number[other].astype(np.int64)
        whole.borders = Borders(*sum_pairs(np.minimum(one, other), np.maximum(one, other), length))
    return whole
