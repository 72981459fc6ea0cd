"""Compare a class map with labelled points and polygons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from affine import Affine
from rasterio.features import rasterize
from rasterio.windows import Window
from rasterio.windows import transform as window_transform

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.class_values import check_class_number
from backend.accuracy.compare import Advance, Comparison
from backend.accuracy.tally import distinct
from backend.core.arrays import BoolArray, DoubleArray, IndexArray, IntArray
from backend.raster.geojson import Feature

# Property of points that were drawn for a map: the class that the map has there.
MAP_CLASS = "map_class"


class VectorReference:
    """Compare labelled points and polygons; each is one sampling unit.

    The pixel matrix counts every pixel whose centre lies in a polygon (in the later one if they overlap), and the
    pixel of every point. As a sampling unit a polygon has the map class of most of its pixels, the smallest value in a
    tie: pixels of one polygon are not independent, and single ones would make the intervals too narrow.

    Args:
        features: Points and polygons in the map's CRS.
        labels: Class value of each.

    Points that `backend design` drew say in the property MAP_CLASS for which class of which map: another map has other
    strata, for which their estimates aren't valid.
    """

    passes = 1

    def __init__(self, features: Sequence[Feature], labels: Sequence[int]) -> None:
        for label in labels:
            check_class_number(label, "The class of a feature")
        self._polygons = [(f, label) for f, label in zip(features, labels) if f.is_polygon]
        points = [
            (x, y, label, _drawn_in(f)) for f, label in zip(features, labels) if not f.is_polygon for x, y in f.points()
        ]
        self._points = np.array(points, dtype=np.float64).reshape(-1, 4)
        self._drawn = self._elsewhere = 0

    def compare(self, class_map: ClassRaster, areas: PixelAreas, advance: Advance) -> Comparison:
        """Count pixels in polygons and under points."""
        result = Comparison()
        columns, rows, labels, drawn_in = self._places(class_map, result)
        boxes = _rows_of([feature for feature, _ in self._polygons], class_map.grid.transform)
        inside: dict[tuple[int, int], int] = {}
        for top, bottom in class_map.strips():
            values, good, ignored = class_map.read(top, bottom)
            size = np.broadcast_to(areas.rows(top, bottom), values.shape)
            result.tally.add_mapped(values[good], size[good])
            result.leave_out("pixels that are nodata on the map", np.count_nonzero(~good & ~ignored))
            result.leave_out("pixels with a map value to ignore", np.count_nonzero(ignored))
            here = (rows >= top) & (rows < bottom)
            self._take_points(result, (rows[here] - top, columns[here], labels[here]), (values, good, size))
            self._compare_strata(values[rows[here] - top, columns[here]], drawn_in[here])
            touched = np.flatnonzero((boxes[:, 0] < bottom) & (boxes[:, 1] >= top)) if len(boxes) else np.array([])
            self._take_polygons(result, class_map, top, touched, (values, good, size), inside)
            advance(bottom - top)
        self._close_polygons(result, inside)
        if self._elsewhere:
            result.warnings.append(
                f"{self._elsewhere} of {self._drawn} points were drawn in another class than the map has there (field "
                f"{MAP_CLASS}): they belong to another map, and the estimates and intervals are not valid for this one."
            )
        kinds = ["points"] * bool(len(self._points)) + ["polygons, each as one unit"] * bool(self._polygons)
        result.unit = " and ".join(kinds)
        result.mapped = {value: area for value, (_, area) in result.tally.mapped.items()}
        return result

    def _places(self, class_map: ClassRaster, result: Comparison) -> tuple[IntArray, IntArray, IntArray, DoubleArray]:
        """Return column, row, label, and class that they were drawn in (or NaN), of the points on the map's grid."""
        back = ~class_map.grid.transform
        x, y, labels, drawn_in = self._points.T
        columns = np.floor(back.a * x + back.b * y + back.c)
        rows = np.floor(back.d * x + back.e * y + back.f)
        within = (columns >= 0) & (columns < class_map.grid.width) & (rows >= 0) & (rows < class_map.grid.height)
        result.leave_out("points outside the map", np.count_nonzero(~within))
        columns, rows, labels = (each[within].astype(np.int64) for each in (columns, rows, labels))
        return columns, rows, labels, drawn_in[within]

    def _compare_strata(self, found: IntArray, drawn_in: DoubleArray) -> None:
        known = np.isfinite(drawn_in)
        self._drawn += int(known.sum())
        self._elsewhere += int((found[known] != drawn_in[known]).sum())

    def _take_points(
        self,
        result: Comparison,
        points: tuple[IntArray, IntArray, IntArray],
        strip: tuple[IntArray, BoolArray, DoubleArray],
    ) -> None:
        (rows, columns, labels), (values, good, size) = points, strip
        kept = good[rows, columns]
        result.leave_out("points where the map has no value", np.count_nonzero(~kept))
        found, labels = values[rows, columns][kept], labels[kept]
        result.tally.add_pairs(found, labels, size[rows, columns][kept])
        result.units += list(zip(found.tolist(), labels.tolist()))

    def _take_polygons(
        self,
        result: Comparison,
        class_map: ClassRaster,
        top: int,
        touched: IndexArray,
        strip: tuple[IntArray, BoolArray, DoubleArray],
        inside: dict[tuple[int, int], int],
    ) -> None:
        if not touched.size:
            return
        values, good, size = strip
        window = Window(0, top, values.shape[1], values.shape[0])
        burnt = rasterize(
            [(self._polygons[index][0].geometry, int(index) + 1) for index in touched],
            out_shape=values.shape,
            transform=window_transform(window, class_map.grid.transform),
            dtype="int32",
        )
        covered = (burnt > 0) & good
        if not covered.any():
            return
        found, polygon = values[covered], burnt[covered].astype(np.int64) - 1
        labels = np.array([label for _, label in self._polygons], dtype=np.int64)
        result.tally.add_pairs(found, labels[polygon], size[covered])
        classes, codes = distinct(found)
        keys, counts = np.unique(polygon * classes.size + codes, return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist()):
            place = key // classes.size, int(classes[key % classes.size])
            inside[place] = inside.get(place, 0) + count

    def _close_polygons(self, result: Comparison, inside: Mapping[tuple[int, int], int]) -> None:
        most: dict[int, tuple[int, int]] = {}
        for (polygon, value), count in inside.items():
            most[polygon] = max(most.get(polygon, (0, 0)), (count, -value))
        result.units += [(-value, self._polygons[polygon][1]) for polygon, (_, value) in sorted(most.items())]
        result.leave_out("polygons without the centre of a pixel that has a map value", len(self._polygons) - len(most))


def _drawn_in(feature: Feature) -> float:
    """Return the map class that a point was drawn in; NaN if it doesn't say."""
    value = feature.properties.get(MAP_CLASS)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def _rows_of(features: Sequence[Feature], transform: Affine) -> DoubleArray:
    """Return first and last row that each feature can touch, [features, 2]."""
    back = ~transform
    found = []
    for feature in features:
        xmin, ymin, xmax, ymax = feature.bounds()
        rows = [(back * corner)[1] for corner in ((xmin, ymin), (xmin, ymax), (xmax, ymin), (xmax, ymax))]
        found.append((min(rows), max(rows)))
    return np.array(found, dtype=np.float64).reshape(-1, 2)
