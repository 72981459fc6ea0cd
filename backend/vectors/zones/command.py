"""Measure the classes of a map in a user's polygons: the command `zones`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.compare import check_bounds
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.output.names import claim_outputs
from backend.raster.blocks import LARGE_CACHE
from backend.raster.geojson import Feature, read_features
from backend.raster.source import gdal_environment
from backend.vectors.zones.accuracy_report import METHOD, AccuracyReport
from backend.vectors.zones.measure import Zone, measure_zones
from backend.vectors.zones.table import ZoneTable, as_csv, as_geojson, build_table

CSV, GEOJSON = frozenset((".csv",)), frozenset((".geojson", ".json"))


@dataclass(frozen=True)
class ZonesRequest:
    """Hold the options of measuring classes in polygons.

    Attributes:
        map: Raster of classes.
        polygons: GeoJSON of polygons, in degrees or with a named CRS.
        output: CSV or GeoJSON to write, by its ending.
        report: JSON of an accuracy report, for estimates with confidence intervals.
        overwrite: Whether an existing output is replaced.
    """

    map: str
    polygons: str
    output: Path
    report: Path | None = None
    overwrite: bool = False


def zones(request: ZonesRequest, context: Context) -> dict[str, Any]:
    """Measure, write the table, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and an older one is as it was.
    """
    events = RunEvents(context.reporter, "zones", request.map, {"output": request.output})
    if request.output.suffix.lower() not in CSV | GEOJSON:
        raise InputError(
            f"The output {request.output} ends in {request.output.suffix or 'nothing'}; what is written is CSV or "
            "GeoJSON.",
            "Give a name that ends in .csv or .geojson.",
        )
    sources = [request.map, request.polygons, *([str(request.report)] if request.report else [])]
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        stack.enter_context(claim_outputs([request.output], sources, request.overwrite, context.cancel, rasters=False))
        class_map = stack.enter_context(ClassRaster(request.map))
        class_map.grid.check(request.map)
        polygons, table = _measured(request, class_map, context, events)
        crs = class_map.grid.crs
        csv = request.output.suffix.lower() in CSV
        text = as_csv(polygons, table) if csv else as_geojson(polygons, table, crs)
        with refusing(request.output):
            write_files({request.output: text.encode()}, context.cancel)
    columns = [{"name": name, "kind": kind} for name, kind in table.columns.items()]
    return events.result(polygons=len(table.rows), columns=columns)


def _measured(
    request: ZonesRequest, class_map: ClassRaster, context: Context, events: RunEvents
) -> tuple[list[Feature], ZoneTable]:
    report = None if request.report is None else AccuracyReport.read(request.report)
    polygons, without = _read_polygons(request, class_map)
    areas = PixelAreas(class_map.grid, planar=False)
    events.start()
    found = measure_zones(class_map, areas, polygons, RowProgress(context, class_map.grid.height))
    table, missing = build_table(found, class_map.names, areas.known, report)
    for note in (*class_map.notes, areas.method):
        context.reporter.log("info", note)
    _warn(context.reporter, found, without)
    if report is not None:
        _explain(request, context.reporter, report, missing)
    return polygons, table


def _read_polygons(request: ZonesRequest, class_map: ClassRaster) -> tuple[list[Feature], int]:
    polygons, without = read_features(request.polygons, class_map.grid.crs)
    for feature in polygons:
        if not feature.is_polygon:
            raise InputError(
                f"Feature {feature.number} of {request.polygons} is a point; polygons are needed.",
                "Remove it, or draw a polygon around it (in QGIS: Buffer).",
            )
    boxes = list(zip(*(polygon.bounds() for polygon in polygons)))
    bounds = min(boxes[0]), min(boxes[1]), max(boxes[2]), max(boxes[3])
    check_bounds(class_map.grid.bounds(), bounds, request.polygons)
    return polygons, without


def _warn(reporter: Reporter, found: Sequence[Zone], without: int) -> None:
    empty, beyond = sum(not zone.pixels for zone in found), sum(zone.beyond for zone in found)
    counts = {
        f"Features without a geometry, left out: {without}.": without,
        f"Polygons that hold no centre of a pixel with data, so that nothing is measured in them: {empty}.": empty,
        f"Polygons that reach beyond the map; only the part on the map is measured: {beyond}.": beyond,
    }
    for message, count in counts.items():
        if count:
            reporter.log("warning", message)


def _explain(request: ZonesRequest, reporter: Reporter, report: AccuracyReport, missing: int) -> None:
    reporter.log("info", METHOD)
    if Path(report.map).name != Path(request.map).name:
        reporter.log(
            "warning", f"The accuracy report is about {report.map}; its error rates are used for {request.map}."
        )
    if missing:
        reporter.log(
            "warning",
            f"Polygons with a class that has fewer than two sampling units in the report, not corrected: {missing}.",
        )
