"""Test the polygons of class maps against those of GDAL, whatever the strips, and what is written of them."""

import json
import sqlite3

import numpy as np
import pytest
import rasterio
from rasterio.features import shapes
from rasterio.transform import Affine

from backend.core.errors import Cancelled, InputError
from backend.raster import blocks
from tests.backend.conftest import UTM10
from tests.backend.vectors.reading import edges, read_geojson, read_package, signed_area
from tests.support.backend.listener import cancelled_after
from tests.support.class_maps import CLASSES

RING = [[10, 10, 10, 10], [10, 80, 0, 10], [10, 0, 80, 10], [10, 10, 10, 40], [40, 10, 40, 10]]


def gdals(path):
    """Class and outline of GDAL's polygons, 4-connected."""
    with rasterio.open(path) as file:
        found = shapes(file.read(1), file.read_masks(1) != 0, connectivity=4, transform=file.transform)
        return sorted((int(v), sorted(map(sorted, edges(g["coordinates"])))) for g, v in found)


def ours(features):
    return sorted((row["class"], sorted(map(sorted, edges(rings)))) for row, rings in features)


@pytest.mark.parametrize("pixels", [1, 150, 2**20])
@pytest.mark.parametrize("what", ["patchy", "noise", "holes", "line", "pixel"])
def test_polygons_are_those_of_gdal(make, patchy, convert, monkeypatch, what, pixels):
    rng = np.random.default_rng(4)
    values = {
        "patchy": patchy(37, 29), "noise": rng.integers(0, 3, (24, 31)), "holes": np.array(RING),
        "line": rng.integers(0, 3, (1, 40)), "pixel": np.array([[7]]),
    }[what]  # fmt: skip
    monkeypatch.setattr(blocks, "STRIP_PIXELS", pixels)
    path = make(values)
    result, output = convert(path)
    features = read_package(output)
    assert ours(features) == gdals(path) and result["polygons"] == len(features)
    for row, rings in features:
        assert signed_area(rings[0]) > 0 and all(signed_area(ring) < 0 for ring in rings[1:])
        assert all((ring[0] == ring[-1]).all() for ring in rings)
        pixels_of = sum(map(signed_area, rings)) / 100
        assert row["area_m2"] == pytest.approx(100 * pixels_of, rel=2e-3)
    # As GDAL's: no points on straight lines.
    assert all(
        np.all(np.diff(ring[:-1], axis=0).astype(bool).sum(axis=1) == 1) for _, rings in features for ring in rings
    )


def test_areas_are_those_of_the_ellipsoid(make, convert):
    transform = Affine(0.01, 0, 10, 0, -0.01, 60)
    _, output = convert(make(np.full((20, 30), 10), crs="EPSG:4326", transform=transform))
    ((row, _),) = read_package(output)
    # Authalic area between two parallels (Snyder 1987, equation 3-12), of 0.3 degrees of longitude.
    e, a = 0.0818191908426215, 6378137.0
    q = [(1 - e * e) * (s / (1 - (e * s) ** 2) + np.arctanh(e * s) / e) for s in np.sin(np.radians([59.8, 60.0]))]
    assert row["area_m2"] == pytest.approx(np.radians(0.3) * a * a / 2 * (q[1] - q[0]), rel=1e-6)


def test_fields_legend_and_style(named, make_raster, patchy, convert):
    values = patchy(30, 40)
    sure = np.random.default_rng(0).random((1, 30, 40)).astype(np.float32)
    sure[0, :5] = np.nan
    confidence = make_raster(sure, "sure.tif", descriptions=())
    result, output = convert(named(values), confidence=str(confidence))
    features = read_package(output)
    names = {item.value: item.name for item in CLASSES}
    assert {(row["class"], row["name"]) for row, _ in features} == set(names.items())
    assert [(c["name"], c["color"]) for c in result["classes"]] == [(c.name, c.color) for c in CLASSES]
    assert sum(c["pixels"] for c in result["classes"]) == (values > 0).sum()
    weighted = sum((row["confidence"] or 0) * row["area_m2"] for row, _ in features)
    assert weighted > 0 and any(row["confidence"] is None for row, _ in features)
    database = sqlite3.connect(output)
    assert database.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    ((style, default),) = database.execute("SELECT styleQML, useAsDefault FROM layer_styles")
    assert default == 1 and 'label="Water"' in style and "0,100,200,255" in style
    database.close()


def test_mean_confidence(make, make_raster, convert):
    values = np.repeat([[10, 80]], 4, axis=0)
    sure = np.arange(8, dtype=np.float32).reshape(1, 4, 2)
    _, output = convert(make(values), confidence=str(make_raster(sure, "c.tif", descriptions=())))
    assert {row["class"]: row["confidence"] for row, _ in read_package(output)} == {10: 3, 80: 4}


def test_geojson_has_the_same_polygons_and_a_style_beside_it(named, patchy, convert):
    path = named(patchy(20, 25))
    _, package = convert(path)
    _, geojson = convert(path, "other.geojson")
    assert ours(read_geojson(geojson)) == ours(read_package(package))
    assert "32630" in json.loads(geojson.read_text())["crs"]["properties"]["name"]
    assert 'label="Crop"' in geojson.with_suffix(".qml").read_text()


def test_rotated_and_south_up_maps(make, patchy, convert):
    for transform in (UTM10 * Affine.rotation(30), Affine(10, 0, 500_000, 0, 10, 4_600_000)):
        _, output = convert(make(patchy(15, 18), transform=transform))
        features = read_package(output)
        assert all(signed_area(rings[0]) > 0 for _, rings in features)
        assert sum(sum(map(signed_area, rings)) for _, rings in features) == pytest.approx(
            100 * (patchy(15, 18) > 0).sum()
        )


REFUSALS = {
    "ending": (lambda make: (make(RING), "p.shp", {}), "GeoPackage or GeoJSON"),
    "style": (lambda make: (make(RING), "map.geojson", {}), "one style"),
    "crs": (lambda make: (make(RING, crs=None), "p.geojson", {}), "no coordinate system"),
    "metres": (lambda make: (make(RING, crs=None), "p.gpkg", {"min_area": 5.0}), "no coordinate system"),
    "negative": (lambda make: (make(RING), "p.gpkg", {"simplify": -1.0}), "tolerance is -1"),
    "grid": (lambda make: (make(RING), "p.gpkg", {"confidence": str(make([[1, 2]], "c.tif"))}), "grid of the map"),
    "empty": (lambda make: (make([[0, 0]]), "p.gpkg", {}), "no pixel with data"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_leave_nothing(make, convert, tmp_path, kind):
    build, match = REFUSALS[kind]
    map_, name, options = build(make)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=match):
        convert(map_, name, **options)
    assert sorted(tmp_path.iterdir()) == before


def test_a_package_in_use_is_not_replaced(make, convert, tmp_path):
    path = make(RING)
    _, output = convert(path)
    before = output.read_bytes()
    output.with_name(output.name + "-wal").write_bytes(b"changes")
    with pytest.raises(InputError, match="is in use"):
        convert(path)
    assert output.read_bytes() == before


def test_a_map_without_crs_gives_pixels(make, convert):
    _, output = convert(make(RING, crs=None))
    assert {"class", "name", "pixels"} < set(read_package(output)[0][0])


@pytest.fixture
def in_strips(make, patchy, monkeypatch):
    """A map that is read one row at a time."""
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 20)
    return make(patchy(20, 20))


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson"])
@pytest.mark.parametrize("after", [1, 25])
def test_cancelled_runs_leave_the_older_file(in_strips, convert, tmp_path, name, after):
    path = in_strips
    (tmp_path / name).write_text("older")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(Cancelled):
        convert(path, name, cancelled_after(after))
    assert (tmp_path / name).read_text() == "older" and sorted(tmp_path.iterdir()) == before


def test_command_line(named, cli, tmp_path):
    path, output = named(RING), tmp_path / "p.gpkg"
    code, out, err = cli("polygons", path, output, "--min-area", "150", "--simplify", "5", "--progress", "json")
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["polygons"] == len(read_package(output)) and events[-2]["event"] == "progress"
    assert cli("polygons", path, output, "--progress", "none")[0] == 1
    assert cli("polygons", path, output, "--overwrite", "--progress", "none")[0] == 0
