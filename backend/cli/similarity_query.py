"""Parse a similarity query of the map tool, and choose the part of the raster to embed for it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.errors import InputError
from backend.core.plain_json import parse_json
from backend.maps.similarity import cell_of
from backend.radiometry.units import Units
from backend.raster.grid import Grid

# Most pixels, at the model's pixel size, that are embedded for one query.
MOST_PIXELS = 2**21
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Query:
    """Hold points of a raster, and where the similarity to them is written.

    Attributes:
        input: Raster.
        points: x, y in the raster's CRS.
        output: GeoTIFF to write; an older one is replaced.
        view: xmin, ymin, xmax, ymax of the map canvas, in the raster's CRS; used where the raster is large.
        bands: As for `Request`; so are units and model.
        units: Unit of the raster's values.
        model: Name or folder.
    """

    input: str
    points: tuple[tuple[float, float], ...]
    output: Path
    view: Bounds | None = None
    bands: tuple[int, ...] | None = None
    units: Units = Units.AUTO
    model: str | None = None

    @staticmethod
    def parse(line: bytes) -> Query:
        """Build a query from a JSON object.

        Raises:
            InputError: The line is not a query, or has unknown keys.
        """
        try:
            data = parse_json(line)
            view, bands, model = (data.pop(name, None) for name in ("view", "bands", "model"))
            query = Query(
                input=str(data.pop("input")),
                points=tuple((float(x), float(y)) for x, y in data.pop("points")),
                output=Path(str(data.pop("output"))),
                view=_four(view) if view is not None else None,
                bands=tuple(int(band) for band in bands) if bands is not None else None,
                units=Units(data.pop("units", Units.AUTO.value)),
                model=str(model) if model is not None else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            what = f"{type(error).__name__}: {error}"[:200]
            hint = "Send one JSON object a line, with the keys input, points and output."
            raise InputError(f"This line is not a similarity query ({what}).", hint) from error
        check_texts([query.input, str(query.output), query.model or ""])
        if data:
            raise InputError(f"A similarity query has no {', '.join(sorted(data))}.", "Leave that out.")
        return query


def check_texts(texts: Sequence[str]) -> None:
    """Refuse texts that no command line could have: with a NUL, or characters that no file name can have.

    Raises:
        InputError: There is one.
    """
    for text in texts:
        try:
            usable = "\0" not in text and os.fsencode(text) is not None
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise InputError(f"The text {ascii(text):.200} can't be used.", "Leave out its unusual characters.")


def _four(values: Sequence[Any]) -> Bounds:
    xmin, ymin, xmax, ymax = (float(value) for value in values)
    return xmin, ymin, xmax, ymax


def region(grid: Grid, factor: float, view: Sequence[float] | None, point: tuple[float, float]) -> Grid:
    """Choose the part of a raster to embed: all of it, else the view, else a square around a point.

    Args:
        grid: The raster's.
        factor: Raster pixels in a pixel of the model's size.
        view: xmin, ymin, xmax, ymax in the raster's CRS, if known.
        point: x, y in the raster's CRS.

    Raises:
        InputError: The point lies outside the raster.
    """
    at = cell_of(grid, point)
    if at is None:
        raise InputError(f"The point {point[0]:.10g} {point[1]:.10g} lies outside the raster.", "Choose another place.")
    most = MOST_PIXELS * factor
    if grid.width * grid.height <= most:
        return grid
    if view is not None and view[0] <= point[0] <= view[2] and view[1] <= point[1] <= view[3]:
        seen = grid.offset(*grid.window(view))
        if seen.width * seen.height <= most:
            return seen
    side = math.isqrt(int(most))
    height, width = min(grid.height, side), min(grid.width, side)
    top, left = (
        max(0, min(a - n // 2, full - n)) for a, n, full in zip(at, (height, width), (grid.height, grid.width))
    )
    return grid.offset(top, left, height, width)


def holds(grid: Grid, points: Sequence[tuple[float, float]]) -> bool:
    """Return whether all points (x, y) lie on a grid."""
    return all(cell_of(grid, point) for point in points)
