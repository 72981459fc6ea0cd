"""Test that simplified borders leave neither gaps nor overlaps: checked by GEOS where QGIS or GDAL is there."""

import importlib.util

import numpy as np
import pytest

from backend.raster import blocks
from tests.backend.vectors.reading import read_package, signed_area


def pieces(features):
    """How often each straight piece of the outlines occurs, whatever its direction."""
    count = {}
    for _, rings in features:
        for ring in rings:
            points = [tuple(point) for point in ring.tolist()]
            for pair in zip(points[:-1], points[1:]):
                key = frozenset(pair)
                count[key] = count.get(key, 0) + 1
    return count


def crossing(segments):
    """Whether any two straight pieces have more than an end in common."""
    ends = np.array([sorted(piece) for piece in segments])
    a, b = ends[:, 0], ends[:, 1]

    def side(p, q, r):
        return np.sign(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    for i in range(len(ends) - 1):
        c, d = a[i + 1 :], b[i + 1 :]
        sides = [side(a[i], b[i], c), side(a[i], b[i], d), side(c, d, a[i]), side(c, d, b[i])]
        if np.any((sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0)):
            return True
    return False


@pytest.mark.parametrize("tolerance", [7.5, 15.0, 60.0])
@pytest.mark.parametrize("what", ["patchy", "noise", "large"])
def test_borders_are_simplified_once(make, patchy, convert, monkeypatch, what, tolerance):
    rng = np.random.default_rng(8)
    values = {
        "patchy": lambda: patchy(40, 44, 2),
        "noise": lambda: rng.integers(0, 4, (24, 30)),
        "large": lambda: np.kron(patchy(12, 12, 5), np.ones((4, 4))),
    }[what]()
    path = make(values)
    plain, simple = (read_package(convert(path, f"{t}.gpkg", simplify=t)[1]) for t in (0.0, tolerance))
    assert [row for row, _ in simple] == [row for row, _ in plain], "fields are those of the pixels"
    assert [len(rings) for _, rings in simple] == [len(rings) for _, rings in plain]
    count = pieces(simple)
    # Every piece is one polygon's and its neighbour's, or borders on no data or the end of the map.
    assert set(count.values()) <= {1, 2} and not crossing(count)
    assert all(signed_area(ring) > 0 for _, rings in simple for ring in rings[:1])
    assert all(signed_area(ring) < 0 for _, rings in simple for ring in rings[1:])
    points = [sum(len(ring) for _, rings in found for ring in rings) for found in (plain, simple)]
    # Points where three borders meet are added; of noise, and of blocks larger than the tolerance, hardly any go.
    assert points[1] < 0.9 * points[0] or what != "patchy"
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 100)
    _, again = convert(path, "again.gpkg", simplify=tolerance)
    assert pieces(read_package(again)) == count, "the same whatever the strips"


def test_without_no_data_the_area_stays(make, convert):
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(1)
    values = np.stack([gaussian_filter(rng.normal(size=(50, 60)), 2) for _ in range(3)]).argmax(axis=0) + 1
    _, output = convert(make(values), simplify=20)
    features = read_package(output)
    assert sum(signed_area(ring) for _, rings in features for ring in rings) == pytest.approx(50 * 60 * 100)
    assert set(pieces(features).values()) == {1, 2}


@pytest.mark.skipif(importlib.util.find_spec("osgeo") is None, reason="GDAL's own bindings are part of QGIS")
@pytest.mark.parametrize("tolerance", [0.0, 15.0, 40.0])
def test_gdal_reads_valid_polygons(make, patchy, convert, tolerance):
    from osgeo import gdal, ogr

    gdal.UseExceptions()
    values = patchy(60, 70, 3)
    _, output = convert(make(values), simplify=tolerance)
    source = ogr.Open(str(output))
    layer = source.GetLayer(0)
    assert layer.GetName() == "polygons" and layer.TestCapability("FastSpatialFilter")
    shapes = [feature.GetGeometryRef().Clone() for feature in layer]
    assert all(shape.IsValid() and shape.GetArea() > 0 for shape in shapes)
    union = ogr.Geometry(ogr.wkbMultiPolygon)
    for shape in shapes:
        union.AddGeometry(shape)
    assert union.UnionCascaded().GetArea() == pytest.approx(sum(shape.GetArea() for shape in shapes), rel=1e-9)
    xmin, xmax, ymin, ymax = layer.GetExtent()
    layer.SetSpatialFilterRect(xmin, ymin, (xmin + xmax) / 2, (ymin + ymax) / 2)
    assert 0 < layer.GetFeatureCount() < len(shapes)
    del layer, source
