"""Run `nextsamples`: choose the places to label next for a user's own classes, and write them with a form."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.colours import colours_for
from backend.core.arrays import DoubleArray
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.design.certainty import CertaintyRaster
from backend.design.form import Choice, Form, form_qml
from backend.design.least_certain import SHARE, Candidates, farthest
from backend.design.point_file import check_point_file, outputs_of, write_points
from backend.design.spacing import ground, positions
from backend.output.names import claim_outputs
from backend.raster.blocks import LARGE_CACHE
from backend.raster.geojson import Feature, read_features
from backend.raster.grid import Grid
from backend.raster.source import gdal_environment

COUNT, MOST_COUNT = 20, 10_000
# Field of the class if the samples don't have one; other fields of the points; classes in the form's list at most.
CLASS, NUMBER, CERTAINTY, MOST_CLASSES = "class", "id", "certainty", 254


@dataclass(frozen=True)
class NextRequest:
    """Hold the options of a choice of next samples.

    Attributes:
        certainty: Raster that is low where the map is uncertain.
        output: GeoJSON to write.
        samples: GeoJSON of points and polygons that are labelled already; None if there are none.
        class_field: Their property that holds the class, which the new points get too; None for the only one.
        count: Places to choose.
        share: Share of the map that counts as least certain.
        overwrite: Whether existing outputs are replaced.
    """

    certainty: str
    output: Path
    samples: Path | None = None
    class_field: str | None = None
    count: int = COUNT
    share: float = SHARE
    overwrite: bool = False


def next_samples(request: NextRequest, context: Context) -> dict[str, Any]:
    """Choose places, write them, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    events = RunEvents(context.reporter, "nextsamples", request.certainty, {"output": request.output})
    check_point_file(request.output)
    if not 1 <= request.count <= MOST_COUNT:
        raise InputError(f"{request.count} places are not possible.", f"Give a number from 1 to {MOST_COUNT}.")
    if not 0 < request.share <= 1:
        raise InputError(f"The share {request.share:g} is not above 0 and up to 1.", f"Give one such as {SHARE:g}.")
    sources = [request.certainty, *([str(request.samples)] if request.samples else [])]
    outputs = outputs_of(request.output)
    with claim_outputs(outputs, sources, request.overwrite, context.cancel, rasters=False), ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        raster = stack.enter_context(CertaintyRaster(request.certainty))
        facts = _chosen(request, raster, context, events)
    return events.result(**facts)


def _chosen(request: NextRequest, raster: CertaintyRaster, context: Context, events: RunEvents) -> dict[str, Any]:
    log = context.reporter.log
    features = read_features(request.samples, raster.grid.crs)[0] if request.samples else []
    name = _field(request, features)
    events.start()
    candidates = _candidates(request, raster, context)
    rows, columns, values = candidates.least(request.share)
    best = farthest(positions(raster.grid, rows, columns), values, request.count, _existing(features, raster.grid))
    rows, columns, values = rows[best], columns[best], values[best]
    if len(rows) < request.count:
        log("warning", f"Only {len(rows)} of {request.count} places were found: the raster has no more that differ.")
    fields = [
        {NUMBER: number, name: None, CERTAINTY: round(abs(float(value)), 4)} for number, value in enumerate(values, 1)
    ]
    style = form_qml(Form(name, _choices(features, name), shown=(NUMBER, CERTAINTY)))
    write_points(request.output, raster.grid, (rows, columns), fields, style, context.cancel)
    log("info", f"{len(rows)} places, far from each other and from {len(features)} samples, in the order of choice.")
    return {"points": len(rows), "samples": len(features), "field": name}


def _field(request: NextRequest, features: Sequence[Feature]) -> str:
    """Return the name of the class field.

    Raises:
        InputError: The samples have no such field, or it has the name of another field of the points.
    """
    known = list(dict.fromkeys(key for feature in features for key in feature.properties))
    name = request.class_field or (known[0] if len(known) == 1 else CLASS)
    if request.class_field and features and request.class_field not in known:
        raise InputError(
            f"There is no field {request.class_field!r}; the samples have: {', '.join(known) or 'no fields'}.",
            "Name one of these fields.",
        )
    if name in (NUMBER, CERTAINTY):
        raise InputError(f"The field of the class can't be called {name!r}.", "Name the field that holds the class.")
    return name


def _candidates(request: NextRequest, raster: CertaintyRaster, context: Context) -> Candidates:
    height, width, span = raster.grid.height, raster.grid.width, raster.span()
    advance = RowProgress(context, height, passes=1 if span else 2)
    if span is None:
        context.reporter.log("info", "The raster doesn't say what it holds: low values are taken as uncertain.")
        span = _measured(raster, advance)
    candidates = Candidates(height, width, span)
    for top, values in raster.strips():
        candidates.add(top, values)
        advance(len(values))
    if not candidates.valid:
        raise InputError(f"{request.certainty} has no valid pixel.", "Check its nodata value.")
    return candidates


def _measured(raster: CertaintyRaster, advance: RowProgress) -> tuple[float, float]:
    """Return the least and largest value, in a pass of its own."""
    low, high = np.inf, -np.inf
    for _, values in raster.strips():
        known = values[np.isfinite(values)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
        advance(len(values))
    return (low, high) if low < high else (0.0, 1.0)


def _existing(features: Sequence[Feature], grid: Grid) -> DoubleArray:
    """Return the places of samples as `positions` gives them, [n, 3]: points, and the middle of each polygon's box."""
    found = []
    for feature in features:
        xmin, ymin, xmax, ymax = feature.bounds()
        found += [((xmin + xmax) / 2, (ymin + ymax) / 2)] if feature.is_polygon else feature.points()
    x, y = np.array(found, dtype=np.float64).reshape(-1, 2).T
    if not len(x):
        return np.empty((0, 3))
    if grid.pixel_metres() is not None:
        return ground(x, y, grid.crs)
    back = ~grid.transform
    pixels = back.a * x + back.b * y + back.c - 0.5, back.d * x + back.e * y + back.f - 0.5, np.zeros(len(x))
    return np.stack(pixels, axis=1)


def _choices(features: Sequence[Feature], name: str) -> list[Choice]:
    """Return the classes of the samples for the form; none if there are too many to choose from."""
    found = {str(feature.properties.get(name)) for feature in features if feature.properties.get(name) is not None}
    if len(found) > MOST_CLASSES:
        return []
    names = {text: text for text in sorted(found)}
    return [Choice(text, text, color) for text, color in colours_for(list(names), names, {}).items()]
