"""The command `nextsamples`: places where a map is uncertain, far from each other and from the samples."""

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.__main__ import main
from backend.design import least_certain
from backend.design.least_certain import Candidates, farthest

UTM = from_origin(4e5, 5.2e6, 10, 10)
SIDE = 200


@pytest.fixture
def margin(tmp_path):
    """Write a margin that is low in two stripes, with their first and last columns lowest; returns its path."""
    values = np.full((SIDE, SIDE), 0.9, np.float32)
    values[:, 20:50] = values[:, 150:180] = 0.1
    values[:30] = np.nan
    return write(tmp_path / "margin.tif", values, SARDINO_OUTPUT="margin")


def write(path, values, crs="EPSG:32633", transform=UTM, **tags):
    profile = {"driver": "GTiff", "dtype": values.dtype.name, "count": 1, "crs": crs, "transform": transform}
    profile["nodata"] = float("nan") if values.dtype.kind == "f" else None
    with rasterio.open(path, "w", height=values.shape[0], width=values.shape[1], **profile) as file:
        file.write(values, 1)
        file.update_tags(**tags)
    return path


def choose(*arguments):
    return main(["nextsamples", *map(str, arguments), "--progress", "none"])


def read(path):
    found = json.loads(path.read_text())["features"]
    xy = np.array([feature["geometry"]["coordinates"] for feature in found])
    columns, rows = ~UTM * (xy[:, 0], xy[:, 1])
    return [feature["properties"] for feature in found], np.stack((rows, columns), axis=1)


def test_places_are_uncertain_and_far_apart(margin, tmp_path):
    out = tmp_path / "next.geojson"
    assert choose(margin, out, "--count", 6) == 0
    facts, places = read(out)
    assert [each["id"] for each in facts] == [1, 2, 3, 4, 5, 6]
    assert all(each["class"] is None and each["certainty"] == pytest.approx(0.1) for each in facts)
    assert (places[:, 0] > 30).all()
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + np.eye(6) * 999
    # Two stripes of 170 rows: six places have room for more than 60 pixels between each two.
    assert apart.min() > 60


def test_places_are_far_from_samples_and_get_their_field(margin, tmp_path):
    features = [
        {"type": "Feature", "properties": {"cover": name, "who": "me"}, "geometry": geometry}
        for name, geometry in (
            ("rice", {"type": "Point", "coordinates": [400300.0, 5199600.0]}),
            ("maize", {"type": "Polygon", "coordinates": [[[400300.0, 5198600.0], [400340.0, 5198600.0],
                       [400340.0, 5198560.0], [400300.0, 5198560.0], [400300.0, 5198600.0]]]}),
        )
    ]  # fmt: skip
    samples = tmp_path / "s.geojson"
    crs = {"type": "name", "properties": {"name": "EPSG:32633"}}
    samples.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    out = tmp_path / "next.geojson"
    assert choose(margin, out, "--count", 3, "--samples", samples, "--field", "cover") == 0
    facts, places = read(out)
    assert set(facts[0]) == {"id", "cover", "certainty"}
    there = np.array([[40, 30], [142, 32]])
    away = np.hypot(*(places[:, None] - there).transpose(2, 0, 1))
    assert away.min() > 45 and places[0, 1] > 150
    style = (tmp_path / "next.qml").read_text()
    assert 'name="rice"' in style and 'name="maize"' in style


@pytest.mark.parametrize(("kind", "sign"), [("entropy", -1), ("confidence", 1), (None, 1)])
def test_what_is_low_where_uncertain_is_known_from_the_tag(tmp_path, kind, sign):
    values = np.full((60, 60), 0.5, np.float32)
    values[10:20, 10:20] = 0.5 - sign * 0.4
    path = write(tmp_path / "r.tif", values if kind else values * 70, **({"SARDINO_OUTPUT": kind} if kind else {}))
    out = tmp_path / "n.geojson"
    assert choose(path, out, "--count", 3, "--share", 0.02) == 0
    _, places = read(out)
    assert ((places >= 10) & (places < 20)).all()


def test_in_degrees_distances_are_those_on_the_ground(tmp_path):
    """At 70 degrees north, ten degrees across are less than five down."""
    values = np.full((51, 101), 0.1, np.float32)
    path = write(tmp_path / "m.tif", values, "EPSG:4326", from_origin(0, 75, 0.1, 0.1), SARDINO_OUTPUT="margin")
    out, start = tmp_path / "n.geojson", tmp_path / "s.geojson"
    corner = {"type": "Feature", "properties": {"c": 1}, "geometry": {"type": "Point", "coordinates": [0, 70]}}
    start.write_text(json.dumps({"type": "FeatureCollection", "features": [corner]}))
    assert choose(path, out, "--count", 1, "--samples", start) == 0
    x, y = json.loads(out.read_text())["features"][0]["geometry"]["coordinates"]
    assert x > 9 and y > 74


def test_candidates_do_not_depend_on_how_rows_come(monkeypatch):
    monkeypatch.setattr(least_certain, "CELLS", 100)
    values = np.random.default_rng(0).random((47, 61)).astype(np.float32)
    values[5:9] = np.nan
    results = []
    for rows in (47, 1, 7):
        candidates = Candidates(47, 61)
        for top in range(0, 47, rows):
            candidates.add(top, values[top : top + rows])
        results.append(np.stack(candidates.least(0.3)))
        assert candidates.side > 1 and candidates.valid == np.isfinite(values).sum()
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    rows, columns, found = results[0]
    np.testing.assert_array_equal(values[rows.astype(int), columns.astype(int)], found)
    assert found.max() <= np.nanquantile(values, 0.3) + 1e-3 and len(found) > 50


def test_the_first_place_is_least_certain_and_none_comes_twice():
    points, values = np.array([[0.0], [5.0], [5.0], [9.0]]), np.array([0.3, 0.1, 0.2, 0.4], np.float32)
    assert farthest(points, values, 9, np.empty((0, 1))).tolist() == [1, 0, 3]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--count", "0"], "are not possible"),
        (["--share", "0"], "not above 0"),
        (["--field", "id"], "can't be called"),
    ],
)
def test_what_makes_no_sense_is_refused(margin, tmp_path, capsys, options, match):
    assert choose(margin, tmp_path / "n.geojson", *options) == 1
    assert match in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"margin.tif"}


def test_a_map_of_classes_and_an_empty_raster_are_refused(tmp_path, capsys):
    classes = write(tmp_path / "c.tif", np.ones((9, 9), np.uint8), SARDINO_OUTPUT="landcover")
    assert choose(classes, tmp_path / "n.geojson") == 1 and "Map again with --margin" in capsys.readouterr().err
    empty = write(tmp_path / "e.tif", np.full((9, 9), np.nan, np.float32), SARDINO_OUTPUT="margin")
    assert choose(empty, tmp_path / "n.geojson") == 1 and "no valid pixel" in capsys.readouterr().err
