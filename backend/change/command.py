"""Run `change` on two class maps: a raster of transitions, the matrix of areas, estimates from samples, a report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from backend import __version__
from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.compare import check_bounds
from backend.change.colours import class_colours, file_colours
from backend.change.compare import CodeTable, PairCounts, count_pairs, write_codes
from backend.change.legends import Match, Side, match_legends
from backend.change.matrix import as_csv, change_facts, common_matrices
from backend.change.outputs import ChangeOutputs, claimed_outputs, file_tags
from backend.change.previews import painted, png_source
from backend.change.report import as_html, as_json
from backend.change.samples import SampleFields, estimate_change, read_samples
from backend.change.transitions import Transitions, number_transitions
from backend.core.context import Context
from backend.core.errors import InputError
from backend.output.sink import Layer
from backend.output.styles import legend_tags, paletted_qml, rgb
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment


@dataclass(frozen=True)
class ChangeRequest:
    """Options of a comparison of two class maps.

    Attributes:
        before: Raster of classes of the earlier date; the result has its grid.
        after: Raster of classes of the later date.
        output: GeoTIFF of transitions to write.
        report: Also write an HTML page.
        json: Also write every figure as JSON.
        csv: Also write the matrix of areas as CSV.
        mapping: Value or name (as text) of the later map to value of the earlier one.
        ignore: Values to leave out of both maps.
        samples: GeoJSON of reference samples.
        fields: Fields of the samples.
        overwrite: Whether existing outputs are replaced.
    """

    before: str
    after: str
    output: Path
    report: Path | None = None
    json: Path | None = None
    csv: Path | None = None
    mapping: Mapping[str, int] = field(default_factory=dict)
    ignore: Sequence[int] = ()
    samples: str | None = None
    fields: SampleFields = SampleFields()
    overwrite: bool = False

    @property
    def paths(self) -> dict[str, Path]:
        """Outputs by role."""
        named = {"output": self.output, "report": self.report, "json": self.json, "csv": self.csv}
        return {role: path for role, path in named.items() if path is not None}


def change(request: ChangeRequest, context: Context) -> dict[str, Any]:
    """Compare two class maps, write the outputs, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    began = time.monotonic()
    sources = [request.before, request.after, *([request.samples] if request.samples else [])]
    with claimed_outputs(request.paths, sources, request.overwrite, context) as outputs:
        context.reporter.start(
            version=__version__, command="change", model="", device="cpu", input=request.before,
            outputs={role: str(path) for role, path in request.paths.items()},
        )  # fmt: skip
        facts = _compared(request, context, outputs)
    for note in facts["notes"]:
        context.reporter.log("info", note)
    for what, count in facts["left_out"].items():
        context.reporter.log("info", f"Left out, {what}: {count}.")
    estimates = facts["estimates"]
    result = {
        "outputs": {role: str(path) for role, path in request.paths.items()},
        "device": "cpu",
        "seconds": round(time.monotonic() - began, 3),
        "model": "",
        "pixels": facts["compared"]["pixels"],
        "area_unit": facts["area_unit"],
        "changed_area": facts["changed"]["area"],
        "changed_share": facts["changed"]["share"],
        "classes": facts["transitions"],
        "estimated_change": estimates["groups"][0] if estimates and estimates["groups"] else None,
    }
    context.reporter.result(result)
    return result


class _Rows:
    """Reports rows done of all passes; raises Cancelled when the run was cancelled."""

    def __init__(self, context: Context, total: int) -> None:
        self._context, self._total, self._done = context, total, 0

    def __call__(self, rows: int) -> None:
        self._context.cancel.check()
        self._done += rows
        self._context.reporter.progress(self._done, self._total)


def _compared(request: ChangeRequest, context: Context, outputs: ChangeOutputs) -> dict[str, Any]:
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        before = stack.enter_context(ClassRaster(request.before, request.ignore))
        roles = ("later map", "earlier map")
        after = stack.enter_context(ClassRaster(request.after, request.ignore, like=before.grid, roles=roles))
        check_bounds(before.grid.bounds(), after.bounds(), request.after)
        areas = PixelAreas(before.grid)
        rows = _Rows(context, before.grid.height * (3 if request.samples else 2))
        counts = count_pairs(before, after, areas, rows)
        if not counts.before:
            raise InputError(
                "No pixel has a class in both maps.",
                "Check that they cover the same place, their coordinate systems and nodata values.",
            )
        match = match_legends(
            Side(request.before, before.names, counts.before),
            Side(request.after, after.names, counts.after),
            request.mapping,
        )
        transitions = _transitions(counts, match)
        colours = _colours(request, match, transitions.classes)
        samples = None
        if request.samples:
            samples = read_samples(request.samples, before.grid, request.fields, transitions)
        legend = transitions.legend(colours)
        layer = Layer("uint8", 0, ["transition"], {item.value: rgb(item.color) for item in legend},
                      {**file_tags("change", request.before, request.after, legend_tags(legend))})  # fmt: skip
        table = CodeTable.of(counts, (match.before, match.after), transitions.codes)
        sink = outputs.sink("output", layer, before.grid)
        picture = write_codes((before, after), table, sink, rows)
        notes = [*match.notes, areas.method, *before.notes, *after.notes]
    outputs.finish()
    pixels, sizes = common_matrices(counts, match, list(transitions.classes))
    facts = _head(request, change_facts(pixels, sizes, transitions, colours, areas.known), counts)
    facts["notes"] = notes
    if samples is not None:
        found, more, left = estimate_change(sink.files.part, samples, transitions, rows)
        facts["estimates"] = found
        facts["notes"] += more
        facts["left_out"] = {**facts["left_out"], **left}
    texts = {"json": as_json(facts), "csv": as_csv(facts)}
    if request.report:
        legend_colours = {item.value: item.color for item in legend}
        pictures = _pictures(counts, match, colours) + [png_source(painted(picture, legend_colours))]
        texts["report"] = as_html(facts, pictures, legend)
    outputs.commit({"output": paletted_qml(legend)}, legend, texts)
    return facts


def _transitions(counts: PairCounts, match: Match) -> Transitions:
    pixels, _ = counts.matrices()
    there = np.argwhere(pixels > 0)
    found = {(match.before[counts.before[b]], match.after[counts.after[a]]) for b, a in there.tolist()}
    return number_transitions(match.values, match.names, sorted(found))


def _colours(request: ChangeRequest, match: Match, classes: Sequence[int]) -> dict[int, str]:
    """Return the colour of each class: as in a map whose values are those of the common legend, the earlier first."""
    given: dict[int, str] = {}
    for path, common in ((request.after, match.after), (request.before, match.before)):
        brought = file_colours(path)
        kept = {value: color for value, color in brought.items() if common.get(value, value) == value}
        given.update(kept)
        given.update({new: brought[old] for old, new in common.items() if old in brought and new not in kept})
    return class_colours(classes, match.names, given)


def _pictures(counts: PairCounts, match: Match, colours: Mapping[int, str]) -> list[str]:
    assert counts.previews is not None
    return [
        png_source(painted(values, {old: colours[new] for old, new in common.items()}))
        for values, common in zip(counts.previews, (match.before, match.after))
    ]


def _head(request: ChangeRequest, facts: Mapping[str, Any], counts: PairCounts) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "program": f"SAR Land Cover (DINO) {__version__}",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "before": request.before,
        "after": request.after,
        "samples": request.samples,
        "mapping": dict(request.mapping),
        **facts,
        "estimates": None,
        "left_out": dict(counts.left_out),
    }
