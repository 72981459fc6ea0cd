"""Measure the area of each class of a map in each of a user's polygons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from affine import Affine
from rasterio.features import rasterize

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.tally import Tally
from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.raster.geojson import Feature


@dataclass
class Zone:
    """Hold the pixels of a polygon: those whose centres lie in it.

    Attributes:
        tally: Pixels and area of each class.
        empty: Area of the pixels without data.
        beyond: Whether the polygon reaches beyond the map.
    """

    tally: Tally = field(default_factory=Tally)
    empty: float = 0.0
    beyond: bool = False

    @property
    def pixels(self) -> int:
        """Return the number of pixels with a class."""
        return sum(count for count, _ in self.tally.mapped.values())

    @property
    def area(self) -> float:
        """Return the area of the pixels with a class."""
        return sum(area for _, area in self.tally.mapped.values())


def measure_zones(
    class_map: ClassRaster, areas: PixelAreas, polygons: Sequence[Feature], advance: Callable[[int], None]
) -> list[Zone]:
    """Measure the classes in polygons, which may overlap: each is measured for itself.

    Args:
        class_map: The map.
        areas: Areas of its pixels.
        polygons: In the map's CRS.
        advance: Called with the number of rows done; may raise.

    Raises:
        InputError: The map can't be read, or has too many classes.
    """
    grid = class_map.grid
    zones = [Zone() for _ in polygons]
    boxes = np.array([_box(polygon, grid.transform) for polygon in polygons])
    outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2] > grid.height) | (boxes[:, 3] > grid.width)
    for zone, beyond in zip(zones, outside.tolist()):
        zone.beyond = beyond
    for top, bottom in class_map.strips():
        here = (boxes[:, 0] < bottom) & (boxes[:, 2] > top) & (boxes[:, 1] < grid.width) & (boxes[:, 3] > 0)
        if here.any():
            values, valid, _ = class_map.read(top, bottom)
            size = np.broadcast_to(areas.rows(top, bottom), values.shape)
            for number in np.flatnonzero(here).tolist():
                _add(zones[number], polygons[number], boxes[number], top, (values, valid, size), grid.transform)
        advance(bottom - top)
    return zones


def _box(polygon: Feature, transform: Affine) -> tuple[float, float, float, float]:
    """Return first row, first column, last row and last column (exclusive) of a polygon, also beyond the map."""
    xmin, ymin, xmax, ymax = polygon.bounds()
    corners = [~transform * corner for corner in ((xmin, ymin), (xmin, ymax), (xmax, ymin), (xmax, ymax))]
    columns, rows = [corner[0] for corner in corners], [corner[1] for corner in corners]
    # A polygon drawn along the edge of the map doesn't reach beyond it by a rounding error.
    low, high = (
        [np.floor(min(side) + 1e-6) for side in (rows, columns)],
        [np.ceil(max(side) - 1e-6) for side in (rows, columns)],
    )
    return low[0], low[1], high[0], high[1]


def _add(
    zone: Zone,
    polygon: Feature,
    box: DoubleArray,
    top: int,
    strip: tuple[IntArray, BoolArray, DoubleArray],
    transform: Affine,
) -> None:
    rows, width = strip[0].shape
    first, last = max(0, int(box[0]) - top), min(rows, int(box[2]) - top)
    left, right = max(0, int(box[1])), min(width, int(box[3]))
    if first >= last or left >= right:
        return
    inside = rasterize(
        [(polygon.geometry, 1)],
        out_shape=(last - first, right - left),
        transform=transform * Affine.translation(left, top + first),
        dtype="uint8",
    ).astype(bool)
    values, valid, size = (part[first:last, left:right] for part in strip)
    zone.tally.add_mapped(values[inside & valid], size[inside & valid])
    zone.empty += float(size[inside & ~valid].sum())
