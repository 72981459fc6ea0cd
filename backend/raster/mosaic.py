"""Recognise tiles of one raster, as exports write them, among files of different dates and polarisations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from backend.core.errors import InputError
from backend.raster.band_labels import label_bands
from backend.raster.band_names import parse

# Fraction of a pixel by which tiles may be off one grid, and share of the smaller of two that may be in both.
OFF, COMMON = 1e-2, 0.5
# A year, a month or a day of the year, a day. Offsets of tiles, such as 2048, are no years.
DATE = re.compile(
    r"(?<!\d)(?:199\d|20(?!00)[0-3]\d)"
    r"(?:\d{3}|(?:[-_.]?(?:0[1-9]|1[0-2]))?(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?)(?!\d)"
)
PLACES = frozenset(
    "n s e w ne nw se sw north south east west left right top bottom upper lower ul ur ll lr centre center".split()
)
JOIN = (
    "If they are tiles of one raster of one date, join them first and give the result: `gdalbuildvrt scene.vrt FILES`, "
    "or in QGIS Raster > Miscellaneous > Build Virtual Raster without 'Place each input file into a separate band'. "
    "Each date is mapped by itself."
)


def tiles(files: Sequence[Any]) -> list[list[Any]]:
    """Return opened files by what they hold; files of one list are tiles of one raster.

    Raises:
        InputError: Several hold the same, and it isn't certain that they are tiles of one raster.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for file in files:
        groups.setdefault(_content(file), []).append(file)
    for group in groups.values():
        for file in group[1:]:
            _check_grid(group[0], file)
        _check_names([f"{Path(file.name).parent.name}/{Path(file.name).stem}" for file in group])
        _check_common(group)
    return list(groups.values())


class Mosaic:
    """Hold a file, or tiles of one raster put together.

    Args:
        files: Opened files of `tiles`.

    Attributes:
        files: The same, in this order.
        first: The first of them.
        corners: Row and column of the first pixel of each.
        nodata: For each band the first value that a file declares; None if none does.
        crs, transform, width, height: Of the whole.

    Raises:
        InputError: Tiles of whole numbers without a nodata value leave a gap.
    """

    def __init__(self, files: Sequence[Any]) -> None:
        self.files, self.first = files, files[0]
        corners = [_corner(self.first, file) for file in files]
        top, left = min(row for row, _ in corners), min(column for _, column in corners)
        self.corners = [(row - top, column - left) for row, column in corners]
        self.height = max(row + file.height for (row, _), file in zip(self.corners, files))
        self.width = max(column + file.width for (_, column), file in zip(self.corners, files))
        self.crs = self.first.crs
        self.transform = (
            self.first.transform * Affine.translation(left, top) if len(files) > 1 else self.first.transform
        )
        self.nodata = [next(filter(_told, values), None) for values in zip(*(file.nodatavals for file in files))]
        if any(self._marks_no_gap(band) for band in range(self.first.count)) and self._has_gap():
            raise InputError(
                f"{self.name} leave a gap, which can't be distinguished from data: they have no nodata value.",
                "Join them with `gdalwarp -dstnodata NUMBER FILES scene.tif`, and give the result.",
            )

    @property
    def name(self) -> str:
        """Return the file's name, or those of all tiles for a message."""
        more = len(self.files) - 1
        return f"{self.first.name} and {more} more" if more else str(self.first.name)

    def notes(self) -> list[tuple[str, str]]:
        """Return the (level, message) pairs for the log."""
        if len(self.files) == 1:
            return []
        names = ", ".join([Path(file.name).name for file in self.files[:4]] + ["…"] * (len(self.files) > 4))
        size = f"{self.width} x {self.height} pixels"
        return [("info", f"{len(self.files)} files are tiles of one raster and are put together ({size}): {names}.")]

    def _marks_no_gap(self, band: int) -> bool:
        return self.nodata[band] is None and not self.first.dtypes[band].startswith("float")

    def _has_gap(self) -> bool:
        boxes = [(row, column, file.height, file.width) for (row, column), file in zip(self.corners, self.files)]
        rows = np.unique([[row, row + height] for row, _, height, _ in boxes])
        columns = np.unique([[column, column + width] for _, column, _, width in boxes])
        covered = np.zeros((len(rows) - 1, len(columns) - 1), bool)
        for row, column, height, width in boxes:
            covered |= np.outer(
                (rows[:-1] >= row) & (rows[:-1] < row + height),
                (columns[:-1] >= column) & (columns[:-1] < column + width),
            )
        return not covered.all()


def _told(nodata: float | None) -> bool:
    return nodata is not None


def _corner(first: Any, file: Any) -> tuple[int, int]:
    """Return the row and column of a file's first pixel on the grid of another."""
    column, row = ~first.transform * (file.transform.c, file.transform.f)
    return round(row), round(column)


def _content(file: Any) -> tuple[Any, ...]:
    """Return the properties that all tiles must share: polarisation, bands, types, and how values are stored."""
    texts = [text or "" for text in file.descriptions]
    found = [tuple(sorted(parse(text).polarisations)) for text in label_bands(file, file.indexes).texts]
    return (*texts, *found, *file.dtypes, *file.scales, *file.offsets)


def _check_grid(first: Any, file: Any) -> None:
    a, b = first.transform, file.transform
    sizes = max(abs(p - q) for p, q in zip((a.a, a.b, a.d, a.e), (b.a, b.b, b.d, b.e)))
    largest = max(abs(a.a), abs(a.b), abs(a.d), abs(a.e))
    if file.crs != first.crs:
        raise InputError(
            f"{file.name} and {first.name} have the same bands, but different coordinate systems ({file.crs} and "
            f"{first.crs}).",
            "Map each by itself, or join them with `gdalwarp FILES scene.tif`.",
        )
    column, row = ~a * (b.c, b.f)
    # A millionth of a pixel adds up to a hundredth over ten thousand.
    if sizes > 1e-6 * largest or max(abs(column - round(column)), abs(row - round(row))) > OFF:
        raise InputError(
            f"{file.name} and {first.name} have the same bands, but aren't tiles of one grid: their pixels differ in "
            "size or don't line up.",
            "Map each by itself, or join them with `gdalwarp FILES scene.tif`.",
        )


def _check_names(stems: Sequence[str]) -> None:
    """Refuse names that differ in a date or in a word: only numbers and sides of the world tell tiles apart."""
    dates = [tuple(DATE.findall(stem)) for stem in stems]
    if len(set(dates)) > 1:
        other = next(n for n, date in enumerate(dates) if date != dates[0])
        raise InputError(f"{stems[0]} and {stems[other]} have the same bands and different dates in their names.", JOIN)
    words = [{word.lower() for word in re.split(r"[^A-Za-z0-9]+", stem) if word} for stem in stems]
    shared = set.intersection(*words)
    for stem, own in zip(stems, words):
        strange = sorted(word for word in own - shared if word.isalpha() and len(word) > 1 and word not in PLACES)
        if strange:
            raise InputError(
                f"{next(each for each in stems if each != stem)} and {stem} have the same bands, and names that differ "
                f"in '{strange[0]}': they may be of different dates.",
                JOIN,
            )


def _check_common(group: Sequence[Any]) -> None:
    """Refuse tiles of which one lies mostly on another, or far from all others."""
    boxes = [(*_corner(group[0], file), file.height, file.width) for file in group]
    near = np.array([[_overlap(one, other) for other in boxes] for one in boxes])
    for other, box in enumerate(boxes):
        for one in range(other):
            if near[other, one] > COMMON * min(box[2] * box[3], boxes[one][2] * boxes[one][3]):
                raise InputError(
                    f"{group[one].name} and {group[other].name} have the same bands and lie on each other: they may be "
                    "of different dates.",
                    JOIN,
                )
    reached, front = {0}, [0]
    while front:
        found = set(np.flatnonzero(near[front.pop()] >= 0).tolist()) - reached
        reached |= found
        front += sorted(found)
    if len(reached) < len(group):
        apart = next(n for n in range(len(group)) if n not in reached)
        raise InputError(f"{group[apart].name} has the same bands as {group[0].name}, and doesn't touch it.", JOIN)


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return the overlap in pixels of two boxes (row, column, height, width); 0 if they touch, -1 if they don't."""
    sides = [min(one[k] + one[k + 2], other[k] + other[k + 2]) - max(one[k], other[k]) for k in (0, 1)]
    return sides[0] * sides[1] if min(sides) >= 0 else -1
