"""Run `composite`: statistics of several dates, or the dates with less speckle."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.run_events import RunEvents
from backend.output.names import check_not_parts, claim_outputs
from backend.output.raster_set import add_style
from backend.output.sink import RasterSink
from backend.output.styles import ramp_qml
from backend.output.types import type_notes
from backend.radiometry.units import Units
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment
from backend.raster.virtual import scene_files
from backend.series.makers import Composite, Filtered, Maker
from backend.series.members import Reading, open_members
from backend.series.periods import is_north, parted
from backend.series.products import as_rasters
from backend.series.series import Series, place
from backend.series.statistics import STATISTICS
from backend.series.write import write


@dataclass(frozen=True)
class CompositeRequest:
    """Hold a user's request for a composite.

    Attributes:
        output: Raster to write.
        inputs: Rasters, patterns of them, or Sentinel-1 products, of one place.
        statistics: Names in `statistics.STATISTICS`; None for the mean.
        period: "all", "season" or "month".
        filter: Write the dates themselves, with less speckle, instead of statistics.
        bands: Band numbers of VV and VH in each raster, 0 for a missing one; None to find them.
        units: Units of the values of all rasters; AUTO to decide for each.
        output_units: "db" or "linear_power".
        extent: xmin, ymin, xmax, ymax in the CRS of the first raster (of a product longitude and latitude).
        accept_values: Whether values that can't be backscatter are taken all the same.
        overwrite: Whether an existing output is replaced.
    """

    output: Path
    inputs: Sequence[str]
    statistics: Sequence[str] | None = None
    period: str = "all"
    filter: bool = False
    bands: Sequence[int] | None = None
    units: Units = Units.AUTO
    output_units: str = "db"
    extent: Sequence[float] | None = None
    accept_values: bool = False
    overwrite: bool = False


def composite(request: CompositeRequest, context: Context) -> dict[str, Any]:
    """Write a composite of several dates, float32, NaN for nodata.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no new output is left, and an existing one is unchanged.
    """
    events = RunEvents(context.reporter, "composite", request.inputs[0], {"output": request.output})
    _check(request)
    files = scene_files(request.inputs[0], request.inputs[1:])
    with claim_outputs([request.output], files, request.overwrite, context.cancel), ExitStack() as stack:
        events.start()
        for note in type_notes([request.output]):
            context.reporter.log("info", note)
        stack.enter_context(gdal_environment(LARGE_CACHE))
        rasters, titles = as_rasters(files, request.output, request.extent, stack, context)
        reading = Reading(request.bands, request.units, request.accept_values, titles)
        members = open_members(rasters, reading, stack, context)
        for member in members:
            check_not_parts([request.output], member.source.files)
        degrees = request.extent is not None and rasters[0] in titles
        series = place(members, request.extent, degrees, context)
        maker = _maker(request, series)
        sink = write(series, maker, request.output, stack, context)
        _commit(sink, context.cancel)
        for note in maker.notes():
            context.reporter.log("info", note)
        dates = [member.span.text if member.span else None for member in series.members]
        return events.result(dates=dates, bands=list(maker.names), **maker.facts())


def _check(request: CompositeRequest) -> None:
    if request.filter and (request.statistics or request.period != "all"):
        raise InputError(
            "The filter writes the dates themselves, no statistics by period.",
            "Leave --statistics and --period out, or --filter; a composite of the filtered dates is another run.",
        )
    twice = [name for name in STATISTICS if list(request.statistics or ()).count(name) > 1]
    if twice:
        raise InputError(f"The statistic {twice[0]} is named twice.", "Name each once.")


def _maker(request: CompositeRequest, series: Series) -> Maker:
    if request.filter:
        return Filtered(series, request.output_units)
    spans = [member.span for member in series.members]
    periods = parted([m.name for m in series.members], spans, request.period, is_north(series.grid))
    return Composite(series, request.statistics or ("mean",), periods, request.output_units)


def _commit(sink: RasterSink, cancel: Cancel) -> None:
    add_style(sink, ramp_qml(sink.thumbnail()))
    with cancel.shielded():
        sink.commit()
