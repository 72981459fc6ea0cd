"""Run `change --from sar`: where backscatter of two dates differs by more than speckle explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.accuracy.areas import PixelAreas
from backend.accuracy.html_parts import as_json
from backend.card.colours import rgb
from backend.change.date_pair import DateInput, DatePair
from backend.change.looks import Looks, estimate_looks
from backend.change.outputs import ChangeOutputs, claimed_outputs, file_tags
from backend.change.sar_report import as_csv, as_html, head
from backend.change.sar_rows import OUTCOMES, SarSums, significant_rows
from backend.change.sar_sample import log_ratio_windows
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.run_events import RunEvents
from backend.output.names import check_not_parts
from backend.output.sink import Layer, RasterSink
from backend.output.styles import DIVERGING, legend_tags, paletted_qml, span_qml
from backend.raster.source import gdal_environment

LEAST_WINDOW, MOST_WINDOW = 3, 51
# Range of the colours of a change in dB, and of a p value.
SHOWN_DB, SHOWN_P = 8.0, 0.1


@dataclass(frozen=True)
class SarChangeRequest:
    """Hold the options of a comparison of two SAR dates.

    Attributes:
        before: Earlier date; the result has its grid.
        after: Later date.
        output: GeoTIFF of significant changes to write.
        decibels: Also write the change in dB of each polarisation.
        p_value: Also write the p value of no change.
        report: Also write an HTML page.
        json: Also write every figure as JSON.
        csv: Also write the areas as CSV.
        window: Side of the square over which power is averaged, in pixels; odd.
        level: Probability with which an unchanged pixel may be called changed.
        looks: Equivalent number of looks of a pixel; None to estimate it.
        overwrite: Whether existing outputs are replaced.
    """

    before: DateInput
    after: DateInput
    output: Path
    decibels: Path | None = None
    p_value: Path | None = None
    report: Path | None = None
    json: Path | None = None
    csv: Path | None = None
    window: int = 7
    level: float = 0.01
    looks: float | None = None
    overwrite: bool = False

    @property
    def paths(self) -> dict[str, Path]:
        """Return the outputs by role."""
        roles = ("output", "decibels", "p_value", "report", "json", "csv")
        return {role: getattr(self, role) for role in roles if getattr(self, role) is not None}


def sar_change(request: SarChangeRequest, context: Context) -> dict[str, Any]:
    """Compare two dates, write the outputs, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    _check(request)
    events = RunEvents(context.reporter, "change", request.before.path, request.paths)
    sources = [*request.before.files(), *request.after.files()]
    with claimed_outputs(request.paths, sources, request.overwrite, context) as outputs:
        events.start()
        facts = _compared(request, context, outputs)
    for note in facts["notes"]:
        context.reporter.log("info", note)
    return events.result(
        pixels=facts["compared"]["pixels"],
        area_unit=facts["area_unit"],
        changed_area=facts["changed"]["area"],
        changed_share=facts["changed"]["share"],
        polarisations=facts["polarisations"],
        looks=facts["looks"],
        classes=facts["outcomes"],
    )


def _check(request: SarChangeRequest) -> None:
    if request.window % 2 == 0 or not LEAST_WINDOW <= request.window <= MOST_WINDOW:
        raise InputError(
            f"The window is {request.window} pixels; an odd number from {LEAST_WINDOW} to {MOST_WINDOW} is wanted.",
            "Take 7 for single dates of Sentinel-1 at 10 m; less finds smaller changes, more finds fainter ones.",
        )
    if not 0 < request.level < 0.5:
        raise InputError(f"The level is {request.level:g}; it must lie between 0 and 0.5.", "Take 0.01 or 0.001.")
    if request.looks is not None and not 0.3 <= request.looks <= 1000:
        raise InputError(
            f"The looks are {request.looks:g}; 0.3 to 1000 are possible.", "Leave them out, and they are estimated."
        )


def _compared(request: SarChangeRequest, context: Context, outputs: ChangeOutputs) -> dict[str, Any]:
    with ExitStack() as stack:
        stack.enter_context(gdal_environment())
        pair = DatePair(request.before, request.after, context, stack)
        check_not_parts(list(outputs.rasters.values()) + list(outputs.texts.values()), pair.files)
        stack.enter_context(gdal_environment(pair.cache))
        context.cancel.check()
        places = list(log_ratio_windows(pair))
        looks = [
            estimate_looks([(ratio[band], valid) for ratio, valid in places], request.window, request.looks)
            for band in range(len(pair.names))
        ]
        areas = PixelAreas(pair.grid)
        sums = SarSums(pair.grid)
        sinks = _sinks(request, pair, outputs)
        for rows in significant_rows(pair, request.window, [each.window for each in looks], request.level):
            context.cancel.check()
            sinks["output"].write(rows.outcome[None])
            if "decibels" in sinks:
                sinks["decibels"].write(rows.decibels)
            if "p_value" in sinks:
                sinks["p_value"].write(rows.p_value[None])
            sums.add(rows, areas)
            context.reporter.progress(rows.bottom, pair.grid.height)
        # Within the environment, whose cache bounds what overviews take.
        outputs.finish()
    more = _notes(request, pair.names, looks)
    facts = head(request.before.path, request.after.path, sums, areas.known) | {
        "polarisations": pair.names,
        "window": request.window,
        "level": request.level,
        "looks": {name: {"pixel": each.pixel, "window": each.window, "neighbour_correlation": each.neighbour}
                  for name, each in zip(pair.names, looks)},
        "warnings": pair.warnings,
        "notes": [*pair.notes, *more, areas.method],
    }  # fmt: skip
    texts = {"json": as_json(facts), "csv": as_csv(facts)}
    if request.report:
        texts["report"] = as_html(facts, sums)
    outputs.commit(_styles(pair.names), OUTCOMES, texts)
    return facts


def _notes(request: SarChangeRequest, names: Sequence[str], looks: Sequence[Looks]) -> list[str]:
    said = "as asked for" if request.looks else "estimated from the data"
    return [
        f"Looks of {name}: {each.pixel:.1f} of a pixel ({said}), {each.window:.0f} of {request.window} x "
        f"{request.window} pixels, whose neighbours are correlated by {each.neighbour:.2f}."
        for name, each in zip(names, looks)
    ] + [f"Of pixels without change, at most {100 * request.level:g} % are expected to be marked."]


def _sinks(request: SarChangeRequest, pair: DatePair, outputs: ChangeOutputs) -> dict[str, RasterSink]:
    palette = {item.value: rgb(item.color) for item in OUTCOMES}
    names = [f"change of {name} [dB]" for name in pair.names]
    layers: Mapping[str, Layer] = {
        "output": Layer("uint8", 0, ["significant change"], palette, _tags("change of backscatter", request, True)),
        "decibels": Layer("float32", math.nan, names, {}, _tags("change of backscatter in dB", request)),
        "p_value": Layer("float32", math.nan, ["p value of no change"], {}, _tags("p value of no change", request)),
    }
    return {role: outputs.sink(role, layers[role], pair.grid) for role in outputs.rasters}


def _tags(what: str, request: SarChangeRequest, classes: bool = False) -> dict[str, str]:
    settings = {"SARDINO_WINDOW": str(request.window), "SARDINO_LEVEL": f"{request.level:g}"}
    more = {**settings, **(legend_tags(OUTCOMES) if classes else {})}
    return file_tags(what, request.before.path, request.after.path, more)


def _styles(names: Sequence[str]) -> dict[str, str]:
    return {
        "output": paletted_qml(OUTCOMES),
        "decibels": span_qml(-SHOWN_DB, SHOWN_DB, DIVERGING),
        "p_value": span_qml(0.0, SHOWN_P, ("#b2182b", "#f4a582", "#f7f7f7")),
    }
