"""Open the further dates of a run, each on the grid of the raster that is mapped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rasterio.warp import transform_bounds

from backend.card.model_card import Band, ModelCard
from backend.core.errors import InputError, NothingValidError
from backend.grd.container import is_product
from backend.maps.request import MapContext, Request
from backend.radiometry.checks import OK, UNITS, refuse
from backend.radiometry.units import Units
from backend.raster.acquisition import Span, acquired
from backend.raster.grid import DEGREES
from backend.raster.source import RasterSource
from backend.raster.virtual import scene_files
from backend.series.placed import PlacedSource
from backend.series.target import common_grid
from backend.stream.judged import judge_source


@dataclass(frozen=True)
class Dated:
    """Hold a further date.

    Attributes:
        placed: On the grid of the raster that is mapped, in linear power.
        bands: The card's bands that it has.
        present: Their positions among the card's.
        span: When it was acquired; None if unknown.
    """

    placed: PlacedSource
    bands: tuple[Band, ...]
    present: tuple[int, ...]
    span: Span | None


def date_files(request: Request) -> list[list[str]]:
    """Return the files of each further date of a request.

    Raises:
        InputError: A pattern matches nothing, or one is a raster that is mapped anyway.
    """
    taken = set(scene_files(request.input, request.further))
    found: list[list[str]] = []
    for date in request.dates:
        files = scene_files(date)
        twice = next((file for file in files if file in taken), None)
        if twice:
            raise InputError(f"{twice} is named twice among the dates.", "Name each date once.")
        taken.update(files)
        found.append(files)
    return found


@dataclass(frozen=True)
class _Opening:
    """Open the dates of one run."""

    request: Request
    context: MapContext
    card: ModelCard
    source: RasterSource
    stack: ExitStack

    def opened(self, files: Sequence[str], name: str) -> Dated:
        """Open, judge and place a date."""
        request, lenient = self.request, self.card.allows_missing_bands
        paths, bands, units = list(files), request.bands, request.units
        if any(map(is_product, files)):
            paths, bands, units = [str(self._calibrated(files))], None, Units.LINEAR_POWER
        names = [band.name for band in self.card.bands]
        try:
            date = self.stack.enter_context(RasterSource(paths, bands, None, names, allows_missing=lenient))
        except InputError as error:
            raise InputError(f"{name}: {error.message}", error.hint) from error
        common_grid([self.source.grid, date.grid], [self.source.path, name])
        present = [self.card.bands[position] for position in date.present]
        units = self._judged(date, present, units, name)
        placed = PlacedSource(date, present, units, self.source.grid)
        return Dated(placed, tuple(present), tuple(date.present), acquired(date))

    def _judged(self, date: RasterSource, present: Sequence[Band], units: Units, name: str) -> Units:
        try:
            found, checks = judge_source(date, present, units, self.request.accept_values)
            refuse(checks)
        except NothingValidError:
            raise
        except InputError as error:
            raise InputError(f"{name}: {error.message}", error.hint) from error
        for check in checks:
            if check.verdict != OK:
                self.context.reporter.log("warning", f"{name}: {check.hint if check.name == UNITS else check.text}")
        return found

    def _calibrated(self, files: Sequence[str]) -> Path:
        """Calibrate a product over the raster that is mapped, and return the temporary raster."""
        from backend.grd.for_model import calibrated

        if len(files) > 1:
            raise InputError(
                f"{', '.join(files)}: a product can't share a date with other files.", "Give each with its own --date."
            )
        grid, context = self.source.grid, self.context
        extent = None if grid.crs is None else transform_bounds(grid.crs, DEGREES, *grid.bounds())
        # A file of precise orbits is of one day, that of the raster that is mapped.
        slopes = replace(self.request.slopes, orbit=None)
        path, _ = self.stack.enter_context(
            calibrated(files[0], self.request.output, self.card, extent, slopes, context)
        )
        return path


def open_dates(
    request: Request, context: MapContext, card: ModelCard, source: RasterSource, stack: ExitStack
) -> list[Dated]:
    """Open each further date, and say what was found.

    Args:
        request: Request with the dates.
        context: Receives messages, ends a calibration.
        card: The model's.
        source: Raster that is mapped, on whose grid dates are read.
        stack: Takes what is to be closed.

    Returns:
        Dates with a valid pixel.

    Raises:
        SarDinoError: One can't be used, or lies elsewhere.
    """
    found, opening = [], _Opening(request, context, card, source, stack)
    for files in date_files(request):
        name = ", ".join(Path(file).name for file in files)
        try:
            found.append(opening.opened(files, name))
        except NothingValidError:
            context.reporter.log("warning", f"{name} has no valid pixel; this date is left out.")
    warped = sum(date.placed.offset is None for date in found)
    said = f" {warped} of them lie on another grid, and are warped to it in linear power." if warped else ""
    context.reporter.log("info", f"{1 + len(found)} dates: each is mapped, and their probabilities are joined.{said}")
    return found
