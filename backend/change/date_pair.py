"""Read the power of two SAR dates on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.card.model_card import Band
from backend.change.comparable import warnings
from backend.core.arrays import BoolArray, FloatArray, IntArray
from backend.core.context import Context
from backend.core.errors import InputError
from backend.grd.container import is_product, refuse_part
from backend.radiometry.checks import OK, UNITS, refuse
from backend.radiometry.convert import to_db, to_power
from backend.radiometry.units import Units
from backend.raster.acquisition import origin_of
from backend.raster.band_names import POLARISATIONS, parse
from backend.raster.blocks import LARGE_CACHE
from backend.raster.foreign import refuse_picture
from backend.raster.grid import Grid
from backend.raster.source import RasterSource
from backend.raster.virtual import scene_files
from backend.stream.judged import judge_source

# Relative difference of pixel sizes that is accepted: less than half a pixel over a block of speckle.
SAME_SIZE = 1e-3
PAIRS = (("VV", "VH"), ("HH", "HV"))


@dataclass(frozen=True)
class DateInput:
    """Hold the options by which one date is read.

    Attributes:
        path: Raster, or pattern of several.
        further: More rasters of the same date, such as the other polarisation.
        bands: Band numbers, co-polarisation first; None to find them.
        units: Unit of the values.
        accept: Whether values that can't be backscatter are accepted.
    """

    path: str
    further: Sequence[str] = ()
    bands: Sequence[int] | None = None
    units: Units = Units.AUTO
    accept: bool = False

    def files(self) -> list[str]:
        """Return the files of the date.

        Raises:
            InputError: One is a picture, or a product as downloaded.
        """
        files = scene_files(self.path, self.further)
        for file in files:
            refuse_part(file)
            refuse_picture(file)
            if is_product(file):
                raise InputError(
                    f"{file} is a Sentinel-1 product as downloaded.",
                    "Calibrate both dates first, with one elevation model (in QGIS: Calibrate Sentinel-1 GRD).",
                )
        return files


@dataclass
class SarDate:
    """Hold an opened date: its raster, the polarisations that it has, and their unit."""

    source: RasterSource
    names: list[str]
    units: Units
    rows: list[int] = field(default_factory=list)


class DatePair:
    """Hold two dates on the grid of the earlier one.

    Args:
        before: Earlier date.
        after: Later date.
        context: Its reporter receives what was found.
        stack: Takes what is to be closed.

    Attributes:
        grid: Pixels of the earlier date.
        names: Polarisations that both have.
        notes: Remarks for the user.
        warnings: Reasons, logged already, for which the dates may differ without a change of the land.
        files: All files that are read.
        cache: Bytes of GDAL's cache that reading both by rows takes.

    Raises:
        InputError: A date can't be used, or the two don't fit together.
    """

    def __init__(self, before: DateInput, after: DateInput, context: Context, stack: ExitStack) -> None:
        self._dates = [_open(date, context, stack) for date in (before, after)]
        first, second = self._dates
        self.grid = first.source.grid
        self.names = [name for name in first.names if name in second.names]
        if not self.names:
            raise InputError(
                f"The dates have no polarisation in common: {', '.join(first.names)} and {', '.join(second.names)}.",
                "Give two dates of one polarisation.",
            )
        for date in self._dates:
            date.rows = [date.names.index(name) for name in self.names]
        alone = sorted({*first.names, *second.names} - {*self.names})
        self.notes = [f"Only one of the dates has {', '.join(alone)}; it is not used."] if alone else []
        self.warnings = warnings(origin_of(first.source), origin_of(second.source))
        for text in self.warnings:
            context.reporter.log("warning", text)
        self._rows, self._columns = self._align(before.path, after.path)
        self.files = [file for date in self._dates for file in date.source.files]
        self.cache = min(LARGE_CACHE, sum(date.source.cache_bytes() for date in self._dates))

    def _align(self, first: str, second: str) -> tuple[IntArray, IntArray]:
        """Return the row and column of the later date for those of the earlier one, -1 where it has none."""
        here, there = (date.source.grid for date in self._dates)
        rows, columns = np.arange(here.height), np.arange(here.width)
        if (here.transform, here.width, here.height) == (there.transform, there.width, there.height):
            if here.crs is None or there.crs is None or here.crs == there.crs:
                return rows, columns
        if here.crs != there.crs or not _parallel(here, there):
            raise InputError(
                f"{second} is not on the grid of {first}: coordinate systems or pixel sizes differ.",
                "Bring both to one grid before (in QGIS: Raster > Align Rasters, nearest neighbour, or average in "
                "linear power), or process both with the same settings.",
            )
        back = ~there.transform * here.transform
        found_rows = np.floor(back.e * (rows + 0.5) + back.f).astype(np.int64)
        found_columns = np.floor(back.a * (columns + 0.5) + back.c).astype(np.int64)
        found_rows[(found_rows < 0) | (found_rows >= there.height)] = -1
        found_columns[(found_columns < 0) | (found_columns >= there.width)] = -1
        if (found_rows < 0).all() or (found_columns < 0).all():
            raise InputError(f"{second} does not overlap {first}.", "Give two dates of one place.")
        shift = max(abs(part - round(part)) for part in (back.c, back.f))
        text = f"The later date lies on another grid: its nearest pixels were taken (up to {shift:.2f} of a pixel off)."
        self.notes.append(text)
        return found_rows, found_columns

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return linear power of rows, float32 [2 dates, polarisations, rows, width], and validity [rows, width].

        Raises:
            UnreadableError: A file is damaged there.
        """
        return self.window(top, 0, bottom - top, self.grid.width)

    def window(self, top: int, left: int, height: int, width: int) -> tuple[FloatArray, BoolArray]:
        """Return a window of the grid, as `read` does."""
        first, valid = _power(self._dates[0], *self._dates[0].source.window(top, left, height, width))
        second, there = self._later(self._rows[top : top + height], self._columns[left : left + width])
        return np.stack((first, second)), valid & there

    def _later(self, rows: IntArray, columns: IntArray) -> tuple[FloatArray, BoolArray]:
        date = self._dates[1]
        power = np.zeros((len(self.names), rows.size, columns.size), dtype=np.float32)
        valid = np.zeros(power.shape[1:], dtype=np.bool_)
        down, across = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
        if not down.size or not across.size:
            return power, valid
        top, left = int(rows[down[0]]), int(columns[across[0]])
        height, width = int(rows[down[-1]]) + 1 - top, int(columns[across[-1]]) + 1 - left
        found, good = _power(date, *date.source.window(top, left, height, width))
        place, taken = np.ix_(down, across), np.ix_(rows[down] - top, columns[across] - left)
        valid[place] = good[taken]
        for index, plane in enumerate(found):
            power[index][place] = plane[taken]
        return power, valid


def _parallel(one: Grid, other: Grid) -> bool:
    """Return whether two grids have pixels of one size, and axes of one direction."""
    back: Any = ~other.transform * one.transform
    return bool(max(abs(back.a - 1), abs(back.e - 1), abs(back.b), abs(back.d)) < SAME_SIZE)


def _power(date: SarDate, values: FloatArray, valid: BoolArray) -> tuple[FloatArray, BoolArray]:
    _, good = to_db(values, valid, date.units)
    power = to_power(values[date.rows], date.units)
    # Invalid pixels may hold any value: sums over windows need finite ones.
    power = np.where(good, power, np.float32(0))
    return power, good


def _open(date: DateInput, context: Context, stack: ExitStack) -> SarDate:
    files = date.files()
    with RasterSource(files) as whole:
        texts = whole.labels().texts
        count = len(whole.bands)
    told = {parse(text).backscatter for text in texts if text} & set(POLARISATIONS)
    names = next((pair for pair in PAIRS if told & set(pair)), PAIRS[0])
    bands = date.bands
    if bands is not None and len(bands) == 1:
        bands = (*bands, 0)
    elif bands is None and count == 1 and not told:
        bands = (1, 0)
    source = stack.enter_context(RasterSource(files, bands, names=names, allows_missing=True))
    for level, message in source.notes:
        if "the model runs without" not in message:
            context.reporter.log(level, message)
    present = [names[position] for position in source.present]
    cards = [Band(name, "db", (-35.0, 5.0), -14.0, 6.0) for name in present]
    units, checks = judge_source(source, cards, date.units, date.accept)
    refuse(checks)
    for check in checks:
        if check.name == UNITS:
            context.reporter.log("info", f"{check.found}.")
        if check.verdict != OK:
            context.reporter.log("warning", check.hint if check.name == UNITS else check.text)
    return SarDate(source, present, units)
