"""Run `accuracy`: compare a class map with a reference, and write a report, JSON and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.class_values import field_values, integer_label
from backend.accuracy.compare import Reference, check_bounds, check_overlap
from backend.accuracy.figures import build_facts
from backend.accuracy.html_parts import as_json, document_head
from backend.accuracy.labels import feature_labels
from backend.accuracy.merging import merge
from backend.accuracy.reference_raster import RasterReference
from backend.accuracy.reference_vector import VectorReference
from backend.accuracy.report import as_csv, as_html
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.output.names import claim_outputs
from backend.output.types import check_report_type
from backend.raster.blocks import LARGE_CACHE
from backend.raster.geojson import read_features
from backend.raster.source import gdal_environment

GEOJSON = frozenset((".geojson", ".json"))


@dataclass
class AccuracyRequest:
    """Hold the options of an accuracy assessment.

    Attributes:
        map: Raster of classes.
        reference: Raster of classes, or GeoJSON of points and polygons.
        output: HTML report to write.
        json: Also write every figure as JSON.
        csv: Also write the matrix of pixels as CSV.
        class_field: Property of the vector that holds the class; None if there is only one.
        mapping: Reference value or name (as text) to map value.
        ignore_map: Map values to leave out.
        ignore_reference: Reference values to leave out, as in the file.
        sample: Pixels to draw from a reference raster; 0 for none.
        seed: Seed of the draw.
        reference_name: Name of the reference in the report; None for its path.
        overwrite: Whether existing outputs are replaced.
    """

    map: str
    reference: str
    output: Path
    json: Path | None = None
    csv: Path | None = None
    class_field: str | None = None
    mapping: Mapping[str, int] = field(default_factory=dict)
    ignore_map: Sequence[int] = ()
    ignore_reference: Sequence[int] = ()
    sample: int = 0
    seed: int = 0
    reference_name: str | None = None
    overwrite: bool = False

    @property
    def shown(self) -> str:
        """Return the name of the reference in messages and in the report."""
        return self.reference_name or self.reference


def accuracy(request: AccuracyRequest, context: Context) -> dict[str, Any]:
    """Compare, write the report, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    outputs = {"output": request.output, "json": request.json, "csv": request.csv}
    wanted = {role: path for role, path in outputs.items() if path is not None}
    events = RunEvents(context.reporter, "accuracy", request.map, wanted)
    sources = [request.map, request.reference]
    for role, path in wanted.items():
        check_report_type(path, role)
    with claim_outputs(list(wanted.values()), sources, request.overwrite, context.cancel, rasters=False):
        facts = _compared(request, context, events)
        writers = {"output": as_html, "json": as_json, "csv": as_csv}
        with refusing(request.output):
            write_files({path: writers[role](facts).encode() for role, path in wanted.items()}, context.cancel)
    return _result(context.reporter, events, facts)


def _compared(request: AccuracyRequest, context: Context, events: RunEvents) -> dict[str, Any]:
    """Return every figure of the report, and the facts about its inputs."""
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        class_map = stack.enter_context(ClassRaster(request.map, request.ignore_map))
        reference, notes = _open_reference(request, class_map, stack)
        areas = PixelAreas(class_map.grid)
        events.start()
        comparison = reference.compare(class_map, areas, RowProgress(context, class_map.grid.height, reference.passes))
        merging = merge(comparison, class_map.names, request.mapping)
        check_overlap(comparison, request.shown, class_map.names)
    for what, count in notes.left_out.items():
        comparison.leave_out(what, count)
    facts = build_facts(comparison, areas.known, {**notes.names, **merging.names})
    return {
        **document_head(),
        "map": request.map,
        "reference": request.shown,
        "mapping": dict(request.mapping),
        "merged": merging.facts(),
        "sample": {"size": request.sample, "seed": request.seed} if request.sample else None,
        **facts,
        "left_out": comparison.left_out,
        "warnings": comparison.warnings,
        "notes": [*comparison.warnings, *merging.notes, areas.method, *class_map.notes, *notes.texts, *facts["notes"]],
    }


@dataclass
class _ReferenceNotes:
    """Collect names, remarks and omissions found while opening the reference."""

    names: dict[int, str]
    texts: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def _open_reference(
    request: AccuracyRequest, class_map: ClassRaster, stack: ExitStack
) -> tuple[Reference, _ReferenceNotes]:
    if Path(request.reference).suffix.lower() in GEOJSON:
        if request.sample:
            raise InputError(
                "A sample can be drawn from a reference raster only; points and polygons already are a sample.",
                "Leave the sample size at 0.",
            )
        return _open_vector(request, class_map)
    mapping = {}
    for text, value in request.mapping.items():
        old = integer_label(text)
        if old is None:
            raise InputError(f"The mapping names {text!r}, but a reference raster has numbers.", 'Write "1=80,2=10".')
        mapping[old] = value
    raster = stack.enter_context(ClassRaster(request.reference, request.ignore_reference, mapping, like=class_map.grid))
    check_bounds(class_map.grid.bounds(), raster.bounds(), request.shown)
    # Readers know the map's names; the reference's own names are for classes that only it has.
    unmapped = {} if mapping else raster.names
    return RasterReference(raster, request.sample, request.seed), _ReferenceNotes(
        {**unmapped, **class_map.names}, raster.notes
    )


def _open_vector(request: AccuracyRequest, class_map: ClassRaster) -> tuple[Reference, _ReferenceNotes]:
    features, without_geometry = read_features(request.reference, class_map.grid.crs)
    notes = _ReferenceNotes(dict(class_map.names))
    notes.left_out["features without a geometry"] = without_geometry
    if class_map.grid.crs is None:
        notes.texts.append("The map has no coordinate system: the vector is assumed to be in the map's coordinates.")
    values = field_values(features, request.class_field)
    counted = [(f, value) for f, value in zip(features, values) if integer_label(value) not in request.ignore_reference]
    notes.left_out["features with a value to ignore"] = len(features) - len(counted)
    labels, unknown = feature_labels([value for _, value in counted], request.mapping, class_map.names)
    notes.left_out["features without a class"] = labels.count(None) - sum(unknown.values())
    for name, count in unknown.items():
        notes.left_out[f"features of the class {name!r}, which the map doesn't name"] = count
    kept = [(feature, label) for (feature, _), label in zip(counted, labels) if label is not None]
    if not kept:
        known = ", ".join(dict.fromkeys(class_map.names.values())) or "none (the map has no legend)"
        given = f" The features name: {', '.join(map(repr, unknown))}." if unknown else ""
        raise InputError(
            f"No feature of {request.shown} has a class that the map has.{given} Names on the map: {known}.",
            'Use values, or map names to values, such as "Forest=10".',
        )
    bounds = [feature.bounds() for feature, _ in kept]
    low = [min(box[i] for box in bounds) for i in (0, 1)]
    high = [max(box[i] for box in bounds) for i in (2, 3)]
    check_bounds(class_map.grid.bounds(), (low[0], low[1], high[0], high[1]), request.shown)
    return VectorReference([f for f, _ in kept], [label for _, label in kept]), notes


def _result(reporter: Reporter, events: RunEvents, facts: Mapping[str, Any]) -> dict[str, Any]:
    for note in facts["notes"]:
        reporter.log("warning" if note in facts["warnings"] else "info", note)
    for what, count in facts["left_out"].items():
        reporter.log("info", f"Left out, {what}: {count}.")
    pixels, estimates = facts["pixels"], facts["estimates"]
    return events.result(
        pixels=pixels["total"],
        overall_accuracy=pixels["overall_accuracy"],
        mean_iou=pixels["mean_iou"],
        mean_f1=pixels["mean_f1"],
        units=estimates["units"] if estimates else None,
        estimated_overall_accuracy=estimates["overall_accuracy"]["estimate"] if estimates else None,
        estimated_overall_accuracy_se=estimates["overall_accuracy"]["standard_error"] if estimates else None,
        classes=facts["classes"],
    )
