"""Test areas and shares of classes in polygons, and their correction by an accuracy report."""

import csv
import json

import numpy as np
import pytest
from rasterio.features import rasterize

from backend.accuracy.command import AccuracyRequest, accuracy
from backend.accuracy.stratified import estimate
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError
from backend.raster import blocks
from backend.vectors.zones.command import ZonesRequest, zones
from tests.backend.conftest import UTM10
from tests.support.backend.listener import Listener
from tests.support.class_maps import TRUTH, centre

X, Y = 500_000, 4_600_000
SQUARE = [[0, 0], [300, 0], [300, -300], [0, -300], [0, 0]]
# With a hole, and overlapping the first one.
HOLED = [[[200, -100], [900, -100], [900, -550], [200, -550], [200, -100]],
         [[400, -200], [500, -200], [500, -300], [400, -300], [400, -200]]]  # fmt: skip


def placed(*rings):
    return {"type": "Polygon", "coordinates": [[[X + x, Y + y] for x, y in ring] for ring in rings]}


@pytest.fixture
def polygons(tmp_path):
    def write(geometries, fields=None, crs="EPSG:32630"):
        items = [
            {"type": "Feature", "properties": (fields or {}).get(i, {"id": i}), "geometry": geometry}
            for i, geometry in enumerate(geometries)
        ]
        member = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
        path = tmp_path / "zones.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", **member, "features": items}))
        return path

    return write


@pytest.fixture
def measure(tmp_path):
    def run(map_, polygons, name="out.geojson", **options):
        log = Listener()
        path = tmp_path / name
        zones(ZonesRequest(str(map_), str(polygons), path, overwrite=True, **options), Context(log))
        if name.endswith(".csv"):
            with path.open(newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file)), log.lines
        return [item["properties"] for item in json.loads(path.read_text())["features"]], log.lines

    return run


@pytest.mark.parametrize("pixels", [130, 2**20])
def test_areas_of_overlapping_polygons(named, polygons, measure, monkeypatch, pixels):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", pixels)
    values = TRUTH.copy()
    values[5:9, 3:6] = 0
    shapes = [placed(SQUARE), placed(*HOLED), placed([[3, -3], [4, -3], [4, -4], [3, -3]])]
    rows, log = measure(named(values), polygons(shapes))
    for shape, row in zip(shapes, rows):
        inside = rasterize([(shape, 1)], out_shape=values.shape, transform=UTM10).astype(bool)
        assert row["pixels"] == (inside & (values > 0)).sum()
        assert row["nodata_m2"] == pytest.approx(100 * (inside & (values == 0)).sum(), rel=2e-3)
        for word, value in (("tree", 10), ("crop", 40), ("water", 80)):
            count = (inside & (values == value)).sum()
            assert row[f"{word}_m2"] == pytest.approx(100 * count, rel=2e-3)
            assert row[f"{word}_share"] == (pytest.approx(count / row["pixels"], abs=1e-4) if row["pixels"] else None)
    assert [row["majority"] for row in rows] == ["Tree", "Crop", None] and [row["id"] for row in rows] == [0, 1, 2]
    assert ("warning", next(text for _, text in log if "no centre of a pixel" in text)) in log


def test_multipolygons_degrees_and_polygons_beyond_the_map(named, polygons, measure):
    from rasterio.warp import transform_geom

    both = {"type": "MultiPolygon", "coordinates": [placed(SQUARE)["coordinates"], placed(HOLED[0])["coordinates"]]}
    beyond = placed([[-500, 500], [100, 500], [100, -100], [-500, -100], [-500, 500]])
    degrees = transform_geom("EPSG:32630", "EPSG:4326", [both, beyond])
    rows, log = measure(named(TRUTH), polygons(degrees, crs=None))
    assert rows[0]["pixels"] == 30 * 30 + 70 * 45 - 10 * 20 and rows[1]["pixels"] == 100
    assert any("reach beyond the map" in text and text.endswith(": 1.") for _, text in log)


def test_csv_and_own_fields(named, polygons, measure):
    fields = {0: {"name": "A", "pixels": 7}, 1: {"name": 'B; "x"', "list": [1, 2]}}
    path = polygons([placed(SQUARE), placed(*HOLED)], fields)
    rows, _ = measure(named(TRUTH), path, "out.csv")
    same, _ = measure(named(TRUTH), path)
    assert (
        [row["name"] for row in rows] == ["A", 'B; "x"'] and rows[0]["pixels_1"] == "7" and rows[1]["list"] == "[1, 2]"
    )
    assert [float(row["tree_m2"]) for row in rows] == [row["tree_m2"] for row in same]
    assert list(rows[0])[:3] == ["name", "pixels_1", "list"]


def test_classes_without_usable_names_go_by_number(make, polygons, measure):
    rows, _ = measure(make(TRUTH), polygons([placed(SQUARE)]))
    assert rows[0]["class_10_m2"] > 0 and rows[0]["majority"] == "10"


@pytest.fixture
def report(named, make, geojson_points, tmp_path):
    """An accuracy report of the map, from a sample in which some units are wrong; and its matrix."""

    def make_report(units):
        map_ = named(TRUTH)
        target = tmp_path / "report.html"
        accuracy(
            AccuracyRequest(str(map_), str(geojson_points(units)), target, target.with_suffix(".json"), overwrite=True),
            Context(),
        )
        return map_, target.with_suffix(".json")

    return make_report


@pytest.fixture
def geojson_points(tmp_path):
    def write(units):
        places = {10: (0, 0), 40: (0, 40), 80: (0, 80)}
        items = []
        for (mapped, reference), count in units.items():
            for i in range(count):
                row, column = places[mapped][0] + i % 30, places[mapped][1] + reference % 37
                point = {"type": "Point", "coordinates": centre(row, column)}
                items.append({"type": "Feature", "properties": {"class": reference}, "geometry": point})
        path = tmp_path / "sample.geojson"
        member = {"crs": {"type": "name", "properties": {"name": "EPSG:32630"}}}
        path.write_text(json.dumps({"type": "FeatureCollection", **member, "features": items}))
        return path

    return write


UNITS = {(10, 10): 20, (10, 40): 5, (40, 40): 25, (40, 10): 2, (80, 80): 12}


def test_areas_are_corrected_by_the_report(report, polygons, measure):
    map_, facts = report(UNITS)
    shapes = [placed(*HOLED), placed([[900, 0], [1100, 0], [1100, -200], [900, -200], [900, 0]])]
    rows, log = measure(map_, polygons(shapes), report=facts)
    matrix = np.array([[20, 5, 0], [2, 25, 0], [0, 0, 12]])
    found = estimate(matrix, np.array([rows[0][f"{word}_m2"] for word in ("tree", "crop", "water")]))
    for word, (area, error) in zip(("tree", "crop"), found.areas):
        assert rows[0][f"{word}_est_m2"] == pytest.approx(area, abs=0.1)
        assert rows[0][f"{word}_low_m2"] == pytest.approx(max(0, area - 1.96 * error), abs=0.1)
        assert rows[0][f"{word}_high_m2"] == pytest.approx(min(found.total, area + 1.96 * error), abs=0.1)
    # All units of water were right: an interval of no width says little, and none is given.
    assert rows[1]["water_est_m2"] == pytest.approx(rows[1]["valid_m2"]) and rows[1]["water_low_m2"] is None
    total = sum(rows[0][f"{word}_est_m2"] for word in ("tree", "crop", "water"))
    assert total == pytest.approx(rows[0]["valid_m2"], abs=0.1)
    assert any("This assumes" in text for _, text in log) and not any(level == "warning" for level, _ in log)


def test_a_class_without_units_is_not_corrected(report, polygons, measure):
    map_, facts = report({**UNITS, (80, 80): 1})
    rows, log = measure(map_, polygons([placed(*HOLED), placed(SQUARE)]), report=facts)
    assert rows[0]["tree_est_m2"] is None and rows[0]["tree_m2"] > 0 and rows[1]["tree_est_m2"] > 0
    assert any("fewer than two sampling units" in text and text.endswith(": 1.") for _, text in log)


def test_refusals(named, make, polygons, measure, tmp_path, report):
    map_ = named(TRUTH)
    with pytest.raises(InputError, match="CSV or GeoJSON"):
        measure(map_, polygons([placed(SQUARE)]), "out.xlsx")
    with pytest.raises(InputError, match="is a point"):
        measure(map_, polygons([placed(SQUARE), {"type": "Point", "coordinates": [X, Y]}]))
    with pytest.raises(InputError, match="does not overlap"):
        measure(map_, polygons([placed([[-900, 0], [-800, 0], [-800, 50], [-900, 0]])]))
    census, html = tmp_path / "census.json", tmp_path / "census.html"
    accuracy(AccuracyRequest(str(map_), str(make(TRUTH, "ref.tif")), html, census), Context())
    for text, match in ((census.read_text(), "no sampling units"), ("{}", "not an accuracy report"), ("[", "not JSON")):
        census.write_text(text)
        with pytest.raises(InputError, match=match):
            measure(map_, polygons([placed(SQUARE)]), report=census)
    with pytest.raises(InputError, match="can't be read"):
        measure(map_, polygons([placed(SQUARE)]), report=tmp_path / "absent.json")
    assert not (tmp_path / "out.geojson").exists()


def test_cancel_leaves_the_older_table(named, polygons, tmp_path):
    cancel, path = Cancel(), tmp_path / "out.csv"
    path.write_text("older")
    cancel.set()
    with pytest.raises(Cancelled):
        zones(
            ZonesRequest(str(named(TRUTH)), str(polygons([placed(SQUARE)])), path, overwrite=True),
            Context(cancel=cancel),
        )
    assert path.read_text() == "older"


def test_command_line(named, polygons, cli, tmp_path):
    path = tmp_path / "o.csv"
    code, out, err = cli("zones", named(TRUTH), polygons([placed(SQUARE)]), path, "--progress", "json")
    assert (code, err) == (0, "")
    result = json.loads(out.splitlines()[-1])
    assert result["polygons"] == 1 and result["columns"][0] == {"name": "majority", "kind": "text"}
