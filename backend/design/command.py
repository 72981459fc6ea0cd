"""Run `design`: draw the points by which a class map is to be validated, and write them with a form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_colours import class_colours
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.class_values import integer_label
from backend.accuracy.merging import values_by_name
from backend.accuracy.reference_vector import MAP_CLASS
from backend.accuracy.tally import Tally
from backend.card.colours import colours_for
from backend.core.arrays import DoubleArray, IntArray
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.core.row_progress import RowProgress
from backend.core.run_events import RunEvents
from backend.design.allocation import EXPECTED_ACCURACY, LEAST_PER_CLASS, plan, standard_error
from backend.design.draw import Drawn, Sampler, count
from backend.design.form import Choice, Form, form_qml
from backend.design.point_file import check_point_file, outputs_of, write_points
from backend.output.names import claim_outputs
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment

# Field of the points to fill in; MAP_CLASS is the other one, which whoever fills it in must not see.
REFERENCE = "reference"
# Pixels of the map between two points, if no distance is given.
PIXELS_APART = 5


@dataclass(frozen=True)
class DesignRequest:
    """Hold the options of a sampling design.

    Attributes:
        map: Raster of classes.
        output: GeoJSON to write.
        standard_error: Wanted standard error of the overall accuracy.
        accuracy: User's accuracy that is expected of classes without their own.
        expected: User's accuracy that is expected, by value or name of a class (as text).
        per_class: Points of a rare class.
        distance: Least distance between two points in metres (pixels without a CRS); None for PIXELS_APART pixels.
        ignore: Map values that are no classes.
        seed: Equal seeds draw equal points.
        overwrite: Whether existing outputs are replaced.
    """

    map: str
    output: Path
    standard_error: float = 0.01
    accuracy: float = EXPECTED_ACCURACY
    expected: Mapping[str, float] = field(default_factory=dict)
    per_class: int = LEAST_PER_CLASS
    distance: float | None = None
    ignore: tuple[int, ...] = ()
    seed: int = 0
    overwrite: bool = False


def design(request: DesignRequest, context: Context) -> dict[str, Any]:
    """Draw the points, write them, and return the facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    events = RunEvents(context.reporter, "design", request.map, {"output": request.output})
    _check(request)
    outputs = outputs_of(request.output)
    with claim_outputs(outputs, [request.map], request.overwrite, context.cancel, rasters=False), ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        class_map = stack.enter_context(ClassRaster(request.map, request.ignore))
        events.start()
        facts = _designed(request, class_map, context)
    return events.result(**facts)


def _check(request: DesignRequest) -> None:
    check_point_file(request.output)
    if not 0 < request.standard_error < 0.5:
        raise InputError(
            f"The standard error {request.standard_error:g} is not between 0 and 0.5.", "Give a share, such as 0.01."
        )
    for text, accuracy in {"all classes": request.accuracy, **request.expected}.items():
        if not 0 < accuracy < 1:
            raise InputError(
                f"The expected accuracy {accuracy:g} of {text} is not between 0 and 1.",
                "Give a share below 1, such as 0.8; 0.95 for a class that is hardly ever wrong.",
            )
    if request.per_class < 2:
        raise InputError(
            f"{request.per_class} points of a class are too few: from fewer than 2 nothing can be estimated.",
            f"Give {LEAST_PER_CLASS} to 100.",
        )
    if request.distance is not None and not (math.isfinite(request.distance) and request.distance >= 0):
        raise InputError(f"The distance {request.distance:g} is not possible.", "Give metres, 0 for none.")


@dataclass(frozen=True)
class _Strata:
    """Hold the classes of a map: value, share of the area, expected accuracy and points wanted of each."""

    values: list[int]
    weights: DoubleArray
    expected: DoubleArray
    wanted: IntArray


def _designed(request: DesignRequest, class_map: ClassRaster, context: Context) -> dict[str, Any]:
    areas, log = PixelAreas(class_map.grid), context.reporter.log
    for note in class_map.notes:
        log("warning", note)
    advance = RowProgress(context, class_map.grid.height, passes=2)
    tally = count(class_map, areas, advance)
    strata = _strata(request, class_map, tally)
    distance = _distance(request, class_map)
    sampler = Sampler(class_map, areas, tally, distance, request.seed)
    drawn = sampler.draw(dict(zip(strata.values, strata.wanted.tolist())), advance)
    got = np.array([int((drawn.values == value).sum()) for value in strata.values])
    _tell(context.reporter, class_map, strata, got, distance)
    _write(request, class_map, drawn, context.cancel)
    error = standard_error(got, strata.weights, strata.expected)
    log("info", f"{len(drawn.values)} points. Standard error to be expected of the overall accuracy: {error:.4f}.")
    lists = (strata.weights.tolist(), strata.expected.tolist(), strata.wanted.tolist(), got.tolist())
    keys = ("share", "expected_accuracy", "wanted", "points")
    classes = [
        {"value": value, "name": class_map.names.get(value, ""), **dict(zip(keys, figures))}
        for value, *figures in zip(strata.values, *lists)
    ]
    facts = {"points": len(drawn.values), "expected_standard_error": round(error, 6), "distance": distance}
    return {**facts, "areas": areas.method, "classes": classes}


def _strata(request: DesignRequest, class_map: ClassRaster, tally: Tally) -> _Strata:
    """Return the classes with the points that each shall have.

    Raises:
        InputError: The map is empty, lacks a class that is named, or needs too many points.
    """
    if not tally.mapped:
        raise InputError(f"{request.map} has no valid pixel.", "Check its nodata value and the values to ignore.")
    values = sorted(tally.mapped)
    areas = np.array([tally.mapped[value][1] for value in values])
    weights, expected = areas / areas.sum(), _expected(request, values, class_map.names)
    return _Strata(values, weights, expected, plan(weights, expected, request.standard_error, request.per_class))


def _expected(request: DesignRequest, values: list[int], names: Mapping[int, str]) -> DoubleArray:
    """Return the expected accuracy of each class.

    Raises:
        InputError: The request names a class that the map hasn't got.
    """
    by_name, found = values_by_name(names), dict.fromkeys(values, request.accuracy)
    for text, accuracy in request.expected.items():
        number = integer_label(text)
        value = number if number is not None else by_name.get(text.strip().casefold())
        if value not in found:
            known = ", ".join(f"{each} {names.get(each, '')}".strip() for each in values)
            raise InputError(f"The map has no class {text!r}; it has: {known}.", "Name one of these, or its value.")
        found[value] = accuracy
    return np.array([found[value] for value in values])


def _distance(request: DesignRequest, class_map: ClassRaster) -> float:
    if request.distance is not None:
        return request.distance
    metres = class_map.grid.pixel_metres()
    return PIXELS_APART * (max(metres) if metres else 1.0)


def _tell(reporter: Reporter, class_map: ClassRaster, strata: _Strata, got: IntArray, distance: float) -> None:
    apart = f"{distance:g} m" if class_map.grid.pixel_metres() else f"{distance:g} pixels"
    for value, size, found in zip(strata.values, strata.wanted, got):
        name = f"{value} {class_map.names.get(value, '')}".strip()
        reporter.log("info", f"  {name}: {found} points")
        if found < size:
            reporter.log(
                "warning",
                f"{name} has room for {found} points only, at least {apart} apart; {size} were wanted. "
                "Give a smaller distance (0 for none) for more.",
            )


def _write(request: DesignRequest, class_map: ClassRaster, drawn: Drawn, cancel: Cancel) -> None:
    names = dict(class_map.names) or {value: str(value) for value in np.unique(drawn.values).tolist()}
    # Classes that only the map has by its pixels; 0 and the like name what is no class.
    names |= {value: str(value) for value in np.unique(drawn.values).tolist() if value not in names}
    colors = colours_for(sorted(names), names, class_colours(request.map))
    choices = [Choice(str(value), name, colors[value]) for value, name in sorted(names.items())]
    style = form_qml(Form(REFERENCE, choices, shown=("id",), hidden=(MAP_CLASS,), free=("note",)))
    fields = [
        {"id": number, REFERENCE: None, "note": None, MAP_CLASS: int(value)}
        for number, value in enumerate(drawn.values.tolist(), 1)
    ]
    write_points(request.output, class_map.grid, (drawn.rows, drawn.columns), fields, style, cancel)
