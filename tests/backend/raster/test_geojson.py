"""GeoJSON of users: CRS, geometries, refusals."""

import json

import pytest
from rasterio.crs import CRS

from backend.accuracy.class_values import field_values, integer_label
from backend.core.errors import InputError
from backend.raster.geojson import read_features

UTM = CRS.from_epsg(32630)
SQUARE = [[[0, 0, 7], [2, 0, 7], [2, 3, 7], [0, 3, 7], [0, 0, 7]]]


@pytest.fixture
def geojson(tmp_path):
    def write(features, crs=None, name="ref.geojson"):
        items = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
        member = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", **member, "features": items}), encoding="utf-8")
        return path

    return write


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


def test_missing_crs_member_means_longitude_and_latitude(geojson):
    features, missing = read_features(geojson([({"a": 1}, point(-3, 0))]), UTM)
    assert missing == 0 and features[0].points()[0] == pytest.approx((500_000, 0), abs=1e-6)


@pytest.mark.parametrize("name", ["EPSG:32630", "urn:ogc:def:crs:EPSG::32630", UTM.to_wkt()])
def test_coordinates_in_the_rasters_crs_are_kept(geojson, name):
    features, _ = read_features(geojson([({}, point(1.25, 2.5))], name), UTM)
    assert features[0].points() == [(1.25, 2.5)]


def test_a_raster_without_crs_takes_coordinates_as_they_are(geojson):
    features, _ = read_features(geojson([({}, point(-3, 0))]), None)
    assert features[0].points() == [(-3, 0)]


def test_heights_are_dropped_and_empty_geometries_counted(geojson):
    given = [
        ({}, {"type": "Polygon", "coordinates": SQUARE}),
        ({}, None),
        ({}, {"type": "Point", "coordinates": []}),
        ({}, {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}),
    ]
    features, missing = read_features(geojson(given, "EPSG:32630"), UTM)
    assert missing == 2 and [f.number for f in features] == [1, 4]
    assert features[0].is_polygon and features[0].bounds() == (0, 0, 2, 3)
    assert features[1].points() == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("geometry", "match"),
    [
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "LineString"),
        ({"type": "GeometryCollection", "geometries": [point(0, 0)]}, "GeometryCollection"),
        ({"type": "Point", "coordinates": ["a", "b"]}, "broken"),
        ({"type": "Polygon", "coordinates": [[]]}, "broken"),
    ],
)
def test_other_geometries_are_refused(geojson, geometry, match):
    with pytest.raises(InputError, match=match):
        read_features(geojson([({}, geometry)]), UTM)


@pytest.mark.parametrize("text", ["no json", "[1, 2]", '{"features": 3}', '{"type": "FeatureCollection"}', "[" * 10**5])
def test_no_geojson_is_refused(tmp_path, text):
    path = tmp_path / "x.geojson"
    path.write_text(text)
    with pytest.raises(InputError, match="GeoJSON"):
        read_features(path, UTM)


def test_missing_empty_and_distant_features_are_refused(geojson, tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        read_features(tmp_path / "absent.geojson", UTM)
    with pytest.raises(InputError, match="no feature"):
        read_features(geojson([({}, None)]), UTM)
    with pytest.raises(InputError, match="unknown"):
        read_features(geojson([({}, point(0, 0))], "EPSG:999999"), UTM)
    with pytest.raises(InputError, match=r"outside the area|can't be transformed"):
        read_features(geojson([({}, point(0, 1e9))]), UTM)


def test_the_field_with_the_class(geojson):
    given = [({"class": 10, "by": "A"}, point(0, 0)), ({"by": "B"}, point(0, 1))]
    features, _ = read_features(geojson(given), UTM)
    assert field_values(features, "class") == [10, None]
    with pytest.raises(InputError, match="class, by"):
        field_values(features, None)
    with pytest.raises(InputError, match="no field 'klass'"):
        field_values(features, "klass")
    one, _ = read_features(geojson([({"k": 3}, point(0, 0))]), UTM)
    assert field_values(one, None) == [3]


@pytest.mark.parametrize(
    ("given", "value"),
    [(10, 10), (10.0, 10), ("10", 10), (" 10.0 ", 10), (-1, -1), (10.5, None), ("tree", None), (True, None),
     (None, None), ("nan", None), (float("inf"), None)],
)  # fmt: skip
def test_class_values_of_several_types_are_read(given, value):
    assert integer_label(given) == value
