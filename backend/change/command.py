"""Run `change` on two class maps: a raster of transitions, the matrix of areas, estimates from samples, a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_colours import class_colours
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.compare import check_bounds
from backend.accuracy.html_parts import as_json, document_head
from backend.card.colours import colours_for, rgb
from backend.card.model_card import LandCoverClass
from backend.change.comparable import order_warning
from backend.change.legends import Match, Side, match_legends
from backend.change.maps_report import as_html
from backend.change.matrix import as_csv, change_facts, common_matrices
from backend.change.outputs import ChangeOutputs, claimed_outputs, file_tags
from backend.change.pair_counts import CodeTable, PairCounts, count_pairs, write_codes
from backend.change.previews import painted, png_source
from backend.change.reference_samples import SampleFields, estimate_change, read_reference_samples
from backend.change.transitions import Transitions, number_transitions
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.output.sink import Layer
from backend.output.styles import legend_tags, paletted_qml
from backend.raster.acquisition import acquired_by_tags
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment
from backend.raster.tags import tags_of


@dataclass(frozen=True)
class ChangeRequest:
    """Hold the options of a comparison of two class maps.

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
        """Return the outputs by role."""
        named = {"output": self.output, "report": self.report, "json": self.json, "csv": self.csv}
        return {role: path for role, path in named.items() if path is not None}


def change(request: ChangeRequest, context: Context) -> dict[str, Any]:
    """Compare two class maps, write the outputs, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    events = RunEvents(context.reporter, "change", request.before, request.paths)
    sources = [request.before, request.after, *([request.samples] if request.samples else [])]
    with claimed_outputs(request.paths, sources, request.overwrite, context) as outputs:
        events.start()
        facts = _compared(request, context, outputs)
    for note in facts["notes"]:
        context.reporter.log("info", note)
    for what, count in facts["left_out"].items():
        context.reporter.log("info", f"Left out, {what}: {count}.")
    estimates = facts["estimates"]
    return events.result(
        pixels=facts["compared"]["pixels"],
        area_unit=facts["area_unit"],
        changed_area=facts["changed"]["area"],
        changed_share=facts["changed"]["share"],
        classes=facts["transitions"],
        estimated_change=estimates["groups"][0] if estimates and estimates["groups"] else None,
    )


@dataclass(frozen=True)
class _Found:
    """Hold the results of the first pass over the maps."""

    counts: PairCounts
    match: Match
    transitions: Transitions
    colours: dict[int, str]

    @property
    def legend(self) -> list[LandCoverClass]:
        return self.transitions.legend(self.colours)


def _compared(request: ChangeRequest, context: Context, outputs: ChangeOutputs) -> dict[str, Any]:
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        before = stack.enter_context(ClassRaster(request.before, request.ignore))
        roles = ("later map", "earlier map")
        after = stack.enter_context(ClassRaster(request.after, request.ignore, like=before.grid, roles=roles))
        check_bounds(before.grid.bounds(), after.bounds(), request.after)
        exchanged = _exchanged(request)
        if exchanged:
            context.reporter.log("warning", exchanged)
        areas = PixelAreas(before.grid)
        rows = RowProgress(context, before.grid.height, 3 if request.samples else 2)
        found = _matched(request, before, after, count_pairs(before, after, areas, rows))
        samples = None
        if request.samples:
            samples = read_reference_samples(request.samples, before.grid, request.fields, found.transitions)
        table = CodeTable.of(found.counts, (found.match.before, found.match.after), found.transitions.codes)
        sink = outputs.sink("output", _layer(request, found.legend), before.grid)
        picture = write_codes((before, after), table, sink, rows)
        notes = [*found.match.notes, areas.method, *before.notes, *after.notes]
        # Within the environment, whose cache bounds what overviews take.
        outputs.finish()
    pixels, sizes = common_matrices(found.counts, found.match, list(found.transitions.classes))
    figures = change_facts(pixels, sizes, found.transitions, found.colours, areas.known)
    facts = _head(request, figures, found.counts)
    facts["warnings"] = [exchanged] if exchanged else []
    facts["notes"] = notes
    if samples is not None:
        facts["estimates"], more, left = estimate_change(sink.files.part, samples, found.transitions, rows)
        facts["notes"] += more
        facts["left_out"] = {**facts["left_out"], **left}
    texts = {"json": as_json(facts), "csv": as_csv(facts)}
    if request.report:
        texts["report"] = as_html(facts, _pictures(found, picture), found.legend)
    outputs.commit({"output": paletted_qml(found.legend)}, found.legend, texts)
    return facts


def _exchanged(request: ChangeRequest) -> str:
    """Return a warning if tags tell that the later map is of an earlier day; else ""."""
    # Not names: those of maps hold dates of their release, too.
    before, after = (acquired_by_tags(tags_of([path])) for path in (request.before, request.after))
    return order_warning(before, after, "loss and gain")


def _matched(request: ChangeRequest, before: ClassRaster, after: ClassRaster, counts: PairCounts) -> _Found:
    if not counts.before:
        raise InputError(
            "No pixel has a class in both maps.",
            "Check that they cover the same place, their coordinate systems and nodata values.",
        )
    sides = (
        Side(request.before, before.names, counts.before),
        Side(request.after, after.names, counts.after),
    )
    match = match_legends(*sides, request.mapping)
    transitions = _transitions(counts, match)
    return _Found(counts, match, transitions, _colours(request, match, transitions.classes))


def _layer(request: ChangeRequest, legend: Sequence[LandCoverClass]) -> Layer:
    tags = file_tags("change", request.before, request.after, legend_tags(legend))
    return Layer("uint8", 0, ["transition"], {item.value: rgb(item.color) for item in legend}, tags)


def _transitions(counts: PairCounts, match: Match) -> Transitions:
    pixels, _ = counts.matrices()
    there = np.argwhere(pixels > 0)
    found = {(match.before[counts.before[b]], match.after[counts.after[a]]) for b, a in there.tolist()}
    return number_transitions(match.values, match.names, sorted(found))


def _colours(request: ChangeRequest, match: Match, classes: Sequence[int]) -> dict[int, str]:
    """Return the colour of each class: as in a map whose values are those of the common legend, the earlier first."""
    given: dict[int, str] = {}
    for path, common in ((request.after, match.after), (request.before, match.before)):
        brought = class_colours(path)
        kept = {value: color for value, color in brought.items() if common.get(value, value) == value}
        given.update(kept)
        given.update({new: brought[old] for old, new in common.items() if old in brought and new not in kept})
    return colours_for(classes, match.names, given)


def _pictures(found: _Found, changes: NDArray[np.uint8]) -> list[str]:
    """Return the pictures of the earlier map, the later one, and the transitions."""
    maps = [
        painted(values, {old: found.colours[new] for old, new in common.items()})
        for values, common in zip(found.counts.previews or (), (found.match.before, found.match.after))
    ]
    maps.append(painted(changes, {item.value: item.color for item in found.legend}))
    return [png_source(picture) for picture in maps]


def _head(request: ChangeRequest, facts: Mapping[str, Any], counts: PairCounts) -> dict[str, Any]:
    return {
        **document_head(),
        "before": request.before,
        "after": request.after,
        "samples": request.samples,
        "mapping": dict(request.mapping),
        **facts,
        "estimates": None,
        "left_out": dict(counts.left_out),
    }
