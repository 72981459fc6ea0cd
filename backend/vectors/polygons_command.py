"""Turn a class map into polygons: the command `polygons`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.card.model_card import LandCoverClass
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.output.names import claim_outputs
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment
from backend.vectors.confidence import ConfidenceRaster
from backend.vectors.legend import legend_of
from backend.vectors.outlines import Outlines
from backend.vectors.patches import Patches, find_patches
from backend.vectors.polygon_columns import CLASS, columns_of
from backend.vectors.polygon_file import check_polygon_output, polygon_file
from backend.vectors.polygon_style import categories_qml
from backend.vectors.rings import Polygon
from backend.vectors.small_patches import join_small

PASSES = 2


@dataclass(frozen=True)
class PolygonsRequest:
    """Hold the options of making polygons.

    Attributes:
        map: Raster of classes.
        output: GeoPackage or GeoJSON to write, by its ending.
        min_area: Square metres; smaller patches join the neighbour with which they have the longest border.
        confidence: Raster of confidence on the map's grid, whose mean each polygon gets.
        simplify: Metres by which borders may be moved to have fewer points; 0 keeps the edges of the pixels.
        overwrite: Whether an existing output is replaced.
    """

    map: str
    output: Path
    min_area: float = 0.0
    confidence: str | None = None
    simplify: float = 0.0
    overwrite: bool = False


def polygons(request: PolygonsRequest, context: Context) -> dict[str, Any]:
    """Make the polygons, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and an older one is as it was.
    """
    events = RunEvents(context.reporter, "polygons", request.map, {"output": request.output})
    sources = [request.map, *([request.confidence] if request.confidence else [])]
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        class_map = stack.enter_context(ClassRaster(request.map))
        check_polygon_output(request.output, request.map, class_map.grid.crs, request.overwrite)
        stack.enter_context(claim_outputs([request.output], sources, request.overwrite, context.cancel, rasters=False))
        check_polygon_output(request.output, request.map, class_map.grid.crs, request.overwrite)
        run = _Run(request, class_map, context, stack)
        events.start()
        facts = run.make()
    return events.result(**facts)


class _Run:
    """Run once: find the patches, join the small ones, trace the others."""

    def __init__(self, request: PolygonsRequest, class_map: ClassRaster, context: Context, stack: ExitStack) -> None:
        self._request, self._map, self._context = request, class_map, context
        self._areas = PixelAreas(class_map.grid, planar=False)
        self._confidence = (
            stack.enter_context(ConfidenceRaster(request.confidence, class_map.grid)) if request.confidence else None
        )
        self._advance = RowProgress(context, class_map.grid.height, PASSES)
        self._check()

    def _check(self) -> None:
        self._map.grid.check(self._map.path)
        for value, what in (
            (self._request.min_area, "minimum area"),
            (self._request.simplify, "simplification tolerance"),
        ):
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"The {what} is {value:g}.", "Give 0 or more.")
            if value and not self._areas.known:
                raise InputError(
                    f"{self._map.path} has no coordinate system, so that a {what} in metres means nothing.",
                    "Assign a coordinate system to the map, or leave this out.",
                )

    def make(self) -> dict[str, Any]:
        """Write the polygons; return numbers and the areas of the classes."""
        request, log = self._request, self._context.reporter.log
        for note in (*self._map.notes, self._areas.method):
            log("info", note)
        found = find_patches(self._map, self._areas, self._confidence, request.min_area > 0, self._advance)
        before, small = found.area.size - 1, 0
        if request.min_area > 0:
            found, small = join_small(found, request.min_area)
            if small:
                log("info", f"Patches below the minimum area that have no neighbour with data, kept: {small}.")
        legend = legend_of(self._map.path, np.unique(found.classes[1:]).tolist())
        columns = columns_of(found, legend, self._areas.known, self._confidence is not None)
        style = categories_qml(CLASS, legend.values())
        with polygon_file(request.output, self._map.grid.crs, columns, style, self._context.cancel) as file:
            for batch in self._polygons(found):
                file.add((polygon, [column.value(polygon.patch) for column in columns]) for polygon in batch)
        return {
            "polygons": found.area.size - 1,
            "joined": before - (found.area.size - 1),
            "small": small,
            "classes": _by_class(found, legend, self._areas.known),
        }

    def _polygons(self, found: Patches) -> Iterator[list[Polygon]]:
        outlines = Outlines(self._map.grid, found, self._request.simplify)
        for top, bottom, labels in found.strips(self._map):
            yield outlines.add(labels, top)
            self._advance(bottom - top)


def _by_class(found: Patches, legend: dict[int, LandCoverClass], metres: bool) -> list[dict[str, Any]]:
    return [
        {
            "value": value,
            "name": item.name,
            "color": item.color,
            "polygons": int(np.count_nonzero(found.classes[1:] == value)),
            "pixels": int(found.pixels[1:][found.classes[1:] == value].sum()),
            "area_m2": float(found.area[1:][found.classes[1:] == value].sum()) if metres else None,
        }
        for value, item in legend.items()
    ]
