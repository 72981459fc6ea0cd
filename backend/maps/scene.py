"""Open the input of a run: a raster, several files of one scene, or a Sentinel-1 product, which is calibrated first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from backend.card.model_card import Band, ModelCard
from backend.core.arrays import BoolArray
from backend.core.errors import InputError
from backend.grd.container import MANIFEST, is_product, refuse_part
from backend.grd.request import Slopes
from backend.maps.dates import open_dates
from backend.maps.extent import Layout, tiles_around
from backend.maps.request import MapContext, Request
from backend.maps.values import product_checks
from backend.radiometry.checks import ACCEPT, OK, REFUSED, UNITS, Check, refuse
from backend.radiometry.convert import to_scale
from backend.radiometry.units import Units
from backend.raster.acquisition import Span, acquired
from backend.raster.foreign import refuse_picture
from backend.raster.grid import Grid, Rectangle
from backend.raster.resample import MAX_REFINE, scale_factor
from backend.raster.source import RasterSource, gdal_environment
from backend.series.placed import PlacedSource
from backend.stream.frames import FilledFrame, NativeFrame, ScaledFrame
from backend.stream.judged import judge_source
from backend.stream.rows import Frame
from backend.stream.several import SeveralFrame

if TYPE_CHECKING:
    from backend.grd.patch import Place

# Bands and unit of a product are known, so that advice on them would mislead.
DOUBTFUL = (
    "The product's measurements or calibration tables may be damaged, or changed. Download it again; if it is right "
    f"all the same, use {ACCEPT}."
)


class Scene:
    """Hold the raster that a run reads, as its model sees it.

    Args:
        request: Input, outputs and options; a product is calibrated into the folder of its output.
        context: Its reporter receives what is found; its cancel ends a calibration.
        files: Files of `stack.scene_files`, each checked by `refuse_part`.
        card: The model's.
        stack: Takes what is to be closed.

    Attributes:
        source: Opened raster.
        part: Requested part of the source's pixels.
        bands: The card's bands that it has.
        units: Unit of its values, decided.
        checks: Checks of its values.
        factors: Its pixels for one of the model's, down and across.
        dates: Further dates, on its grid.
        frame: The model's input, by rows.

    Raises:
        SarDinoError: It can't be used, or the run was cancelled while a product was calibrated.
    """

    def __init__(
        self, request: Request, context: MapContext, files: list[str], card: ModelCard, stack: ExitStack
    ) -> None:
        self._request, self._context, self._files, self._card, self._stack = request, context, files, card, stack
        names, lenient = [band.name for band in card.bands], card.allows_missing_bands
        self.is_product = any(map(is_product, files))
        self._place: Place | None = None
        if self.is_product:
            path, self._place = stack.enter_context(self._calibrated())
            source = RasterSource(path, names=names, allows_missing=lenient)
            source.cover(*self._place.asked)
        else:
            if request.slopes != Slopes():
                raise InputError(
                    f"{files[0]} is a raster on a map: an elevation model, orbits and flattening are for Sentinel-1 "
                    "products as downloaded.",
                    "Leave them out, or give the product.",
                )
            source = RasterSource(files, request.bands, request.extent, names, allows_missing=lenient)
        self.source = stack.enter_context(source)
        self.part = Rectangle(0, 0, source.grid.height, source.grid.width)
        metres = source.pixel_metres
        down, across = metres[::-1] if metres else (card.gsd_m, card.gsd_m)
        self.factors = scale_factor(down, card.gsd_m), scale_factor(across, card.gsd_m)
        stack.enter_context(gdal_environment(source.cache_bytes(self.factors != (1.0, 1.0))))
        self.bands = [card.bands[position] for position in source.present]
        self._twins: list[Callable[[int, int], BoolArray]] = []
        for level, message in source.notes:
            context.reporter.log(level, message)
        self.checks: list[Check] = []
        self.units = self._judged_units()
        self._say_scale()
        self.dates = open_dates(request, context, card, source, stack) if request.dates else []
        self.frame = self._frame()

    @property
    def name(self) -> str:
        """Return its name for people: names of files without their folders, and of URLs without query (signatures)."""
        paths = [Path(file.partition("?")[0] if "://" in file else file) for file in self._files]
        if self.is_product and paths[0].name.lower() == MANIFEST:
            return paths[0].parent.name
        return ", ".join(path.name for path in paths)

    @property
    def spans(self) -> list[Span | None]:
        """Return when each date was acquired."""
        return [acquired(self.source), *(date.span for date in self.dates)]

    def in_grid(self, point: tuple[float, float]) -> tuple[float, float]:
        """Convert a user's point (longitude and latitude for a product) to the CRS of the raster that is read."""
        return self.source.grid.from_degrees(point) if self.is_product else point

    @property
    def grid(self) -> Grid:
        """Return the grid of the requested pixels."""
        return self.part.of(self.source.grid)

    def widen(self, layout: Layout) -> None:
        """Read whole tiles of the raster's own layout around the extent; to be called before `frame` is used."""
        (top, left, rows, columns), above, beside = self.source.whole, 0, 0
        if self._place is not None:  # what was calibrated is a part of the whole itself
            above, beside, rows, columns = self._place[:4]
        part, factors = self.part, self.factors
        top, left = above + part.top - top, beside + part.left - left
        first, end = tiles_around(top, top + part.height, rows, layout, factors[0])
        begin, last = tiles_around(left, left + part.width, columns, layout, factors[1])
        self.part = Rectangle(top - first, left - begin, part.height, part.width)
        self.source.cover(first - above, begin - beside, end - first, last - begin)
        self.frame = self._frame()

    def validity(self, top: int, bottom: int) -> BoolArray:
        """Return the validity [rows, width] of the own pixels on any date; read outside the stream, by one thread."""
        if not self._twins:
            self._twins = [self._twin(self.source.reopen(), self.bands, self.units)]
            for date in self.dates:
                self._twins.append(self._twin(date.placed.reopen(), date.bands, Units.LINEAR_POWER))
        valid = self._twins[0](top, bottom)
        for other in self._twins[1:]:
            valid = valid | other(top, bottom)
        return valid

    def _twin(
        self, source: RasterSource | PlacedSource, bands: Sequence[Band], units: Units
    ) -> Callable[[int, int], BoolArray]:
        self._stack.callback(source.close)
        return lambda top, bottom: to_scale(*source.read(top, bottom), bands, units)[1]

    def _calibrated(self) -> AbstractContextManager[tuple[Path, Place]]:
        """Return a temporary raster of a product, as the model wants it, and its place."""
        from backend.grd.for_model import calibrated

        request = self._request
        if len(self._files) > 1 or request.bands or request.units not in (Units.AUTO, Units.LINEAR_POWER):
            raise InputError(
                f"{', '.join(self._files)} is a Sentinel-1 product: bands are found by polarisation, units are known.",
                "Give the product alone, without bands and units.",
            )
        return calibrated(self._files[0], request.output, self._card, request.extent, request.slopes, self._context)

    def _judged_units(self) -> Units:
        log, request = self._context.reporter.log, self._request
        told = Units.LINEAR_POWER if self.is_product else request.units
        units, found = judge_source(self.source, self.bands, told, request.accept_values)
        if self.is_product:
            found = [replace(c, hint=DOUBTFUL) if c.verdict == REFUSED else c for c in found]
        self.checks = [*found, *product_checks(self.source, self._card)]
        refuse(self.checks)
        for check in self.checks:
            if check.name == UNITS:
                log("info", f"{check.found}.")
            if check.verdict != OK:
                log("warning", check.hint if check.name == UNITS else check.text)
        return units

    def _say_scale(self) -> None:
        metres, gsd, log = self.source.pixel_metres, self._card.gsd_m, self._context.reporter.log
        if metres is None or self.factors == (1.0, 1.0):
            return
        found = f"Pixels are {metres[0]:.4g} x {metres[1]:.4g} m, the model's are {gsd:g} m"
        log("info", f"{found}: resampled in linear power, and the result brought back to the input's grid.")
        if max(metres) > 1.5 * gsd:
            capped = f" Refined {MAX_REFINE:g} times, no further." if max(metres) > MAX_REFINE * gsd else ""
            log("warning", f"The raster is coarser than the model was made for; the map will be less accurate.{capped}")

    def _frame(self) -> Frame:
        frames = [self._frame_of(self.source, self.bands, self.units, self.source.present)]
        for date in self.dates:
            date.placed.grid = self.source.grid
            frames.append(self._frame_of(date.placed, date.bands, Units.LINEAR_POWER, date.present))
        return SeveralFrame(frames) if self.dates else frames[0]

    def _frame_of(
        self, source: RasterSource | PlacedSource, bands: Sequence[Band], units: Units, present: Sequence[int]
    ) -> Frame:
        frame: NativeFrame | ScaledFrame = NativeFrame(source, bands, units)
        if self.factors != (1.0, 1.0):
            frame = ScaledFrame(source, bands, units, self.factors)
        count = len(self._card.bands)
        return frame if len(bands) == count else FilledFrame(frame, present, count)


def check_inputs(files: list[str]) -> None:
    """Refuse files that are parts of a product, or pictures, before anything is opened.

    Raises:
        InputError: One is.
    """
    for file in files:
        refuse_part(file)
        refuse_picture(file)
