"""A map against rasters, points and polygons: known answers, other grids, what is left out, refusals, cancelling."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform

from backend.accuracy import class_raster, reference_raster
from backend.accuracy.command import AccuracyRequest, accuracy
from backend.card.model_card import LandCoverClass
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled, InputError, ResourceError
from backend.core.events import Reporter
from backend.raster.styles import aux_xml
from tests.support.small_disk import leave_room, mounted

TRUTH = np.kron(np.array([[10, 40, 80], [40, 80, 10]]), np.ones((30, 40), int)).astype(np.uint8)
CLASSES = [LandCoverClass(10, "Tree", "#006400"), LandCoverClass(40, "Crop", "#f096ff"),
           LandCoverClass(80, "Water", "#0064c8")]  # fmt: skip


@pytest.fixture
def noisy():
    """A map that is wrong in one pixel of five."""
    generator = np.random.default_rng(1)
    wrong = generator.random(TRUTH.shape) < 0.2
    return np.where(wrong, generator.permutation(TRUTH.ravel()).reshape(TRUTH.shape), TRUTH).astype(np.uint8)


@pytest.fixture
def make(make_raster):
    def write(values, name, **profile):
        return make_raster(np.asarray(values)[None], name, descriptions=(), **profile)

    return write


@pytest.fixture
def assess(tmp_path):
    """Run, and return all figures."""

    def run(map_, reference, **options):
        target = tmp_path / "out" / "report.html"
        target.parent.mkdir(exist_ok=True)
        request = AccuracyRequest(
            str(map_), str(reference), target, target.with_suffix(".json"), overwrite=True, **options
        )
        accuracy(request)
        return json.loads(target.with_suffix(".json").read_text())

    return run


@pytest.fixture
def geojson(tmp_path):
    def write(features, crs="EPSG:32630"):
        items = [{"type": "Feature", "properties": {"class": c}, "geometry": g} for c, g in features]
        path = tmp_path / "ref.geojson"
        member = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
        path.write_text(json.dumps({"type": "FeatureCollection", **member, "features": items}))
        return path

    return write


def brute(map_, reference, classes):
    return [[int(((map_ == m) & (reference == r)).sum()) for r in classes] for m in classes]


def centre(row, column):
    return [500_000 + 10 * column + 5, 4_600_000 - 10 * row - 5]


def box(top, left, bottom, right):
    """A polygon around whole pixels."""
    x0, x1, y0, y1 = 500_000 + 10 * left, 500_000 + 10 * right, 4_600_000 - 10 * bottom, 4_600_000 - 10 * top
    return {"type": "Polygon", "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]}


# --- Rasters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strip", [2**20, 1000])
def test_every_pixel_is_counted_whatever_the_strips(make, assess, noisy, monkeypatch, strip):
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", strip)
    facts = assess(make(noisy, "map.tif"), make(TRUTH, "ref.tif"))
    assert facts["pixels"]["matrix"] == brute(noisy, TRUTH, (10, 40, 80))
    assert facts["pixels"]["overall_accuracy"] == pytest.approx((noisy == TRUTH).mean())
    assert facts["estimates"] is None and any("census" in note for note in facts["notes"])
    areas = facts["areas"]
    assert [a["mapped"] for a in areas] == [100 * int((noisy == v).sum()) for v in (10, 40, 80)]
    assert [a["compared_reference"] for a in areas] == [100 * 2400] * 3
    assert facts["left_out"] == {}


def test_nodata_and_ignored_values_of_both_sides_are_left_out_and_counted(make, assess):
    map_, reference = TRUTH.copy(), TRUTH.copy()
    map_[:2], map_[2:4], reference[4:7], reference[7:11] = 0, 99, 255, 77
    facts = assess(
        make(map_, "map.tif", nodata=0), make(reference, "ref.tif", nodata=255), ignore_map=[99], ignore_reference=[77]
    )
    assert sorted(facts["left_out"].values()) == [2 * 120, 2 * 120, 3 * 120, 4 * 120]
    assert facts["left_out"]["pixels with a reference value to ignore"] == 4 * 120
    assert facts["pixels"]["total"] == 120 * 49 and facts["pixels"]["overall_accuracy"] == 1
    # Mapped areas are those of the whole map, with or without a reference.
    assert sum(a["mapped_pixels"] for a in facts["areas"]) == 120 * 56


def test_values_are_mapped_all_at_once(make, assess):
    swapped = np.select([TRUTH == 10, TRUTH == 40], [40, 10], TRUTH).astype(np.uint8)
    facts = assess(make(TRUTH, "map.tif"), make(swapped, "ref.tif"), mapping={"10": 40, "40": 10})
    assert facts["pixels"]["overall_accuracy"] == 1


def test_values_of_one_side_only_are_told(make, assess):
    reference = np.where(TRUTH == 80, 95, TRUTH).astype(np.uint8)
    facts = assess(make(TRUTH, "map.tif"), make(reference, "ref.tif"))
    assert {c["value"]: (c["on_map"], c["in_reference"]) for c in facts["classes"]} == {
        10: (True, True), 40: (True, True), 80: (True, False), 95: (False, True),
    }  # fmt: skip
    assert any(note.startswith("Only on the map") and note.endswith(": 80.") for note in facts["notes"])
    assert any(note.startswith("Only in the reference") and note.endswith(": 95.") for note in facts["notes"])


def test_a_finer_reference_that_covers_a_part(make, assess, noisy):
    part = np.kron(TRUTH[10:40, 20:60], np.ones((2, 2), np.uint8))
    finer = make(part, "ref.tif", transform=from_origin(500_200, 4_599_900, 5, 5))
    facts = assess(make(noisy, "map.tif"), finer)
    assert facts["pixels"]["matrix"] == brute(noisy[10:40, 20:60], TRUTH[10:40, 20:60], (10, 40, 80))
    assert facts["left_out"] == {"map pixels without a reference (outside it, or nodata there)": 60 * 120 - 30 * 40}
    assert any("nearest" in note for note in facts["notes"]) and any("larger than" in note for note in facts["notes"])


def test_a_reference_in_another_crs(make, assess):
    """In degrees, fine enough: what differs can only lie along the borders of classes."""
    longitude, latitude = transform("EPSG:32630", "EPSG:4326", [500_000, 501_200], [4_600_000, 4_599_400])
    step = 5e-5
    transform_ = from_origin(longitude[0] - 20 * step, latitude[0] + 20 * step, step, step)
    height, width = 200, 400
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = transform_ * (columns.ravel(), rows.ravel())
    east, north = transform("EPSG:4326", "EPSG:32630", x.tolist(), y.tolist())
    c, r = ((np.array(east) - 500_000) // 10).astype(int), ((4_600_000 - np.array(north)) // 10).astype(int)
    inside = (r >= 0) & (r < 60) & (c >= 0) & (c < 120)
    values = np.where(inside, TRUTH[r.clip(0, 59), c.clip(0, 119)], 0).reshape(height, width).astype(np.uint8)
    reference = make(values, "ref.tif", crs="EPSG:4326", transform=transform_, nodata=0)
    facts = assess(make(TRUTH, "map.tif"), reference)
    assert facts["pixels"]["total"] > 0.95 * TRUTH.size
    assert facts["pixels"]["overall_accuracy"] > 0.96


def test_areas_in_degrees_shrink_towards_the_pole(make, assess):
    values = np.array([[1], [2]], np.uint8)
    grid = {"crs": "EPSG:4326", "transform": from_origin(0, 80, 10, 10)}
    facts = assess(make(values, "map.tif", **grid), make(values, "ref.tif", **grid))
    north, south = (area["mapped"] for area in facts["areas"])
    assert 1.3 < south / north < 1.7 and facts["area_unit"] == "m2"


def test_without_any_crs_areas_are_pixels(make, assess, noisy):
    facts = assess(make(noisy, "map.tif", crs=None), make(TRUTH, "ref.tif", crs=None))
    assert facts["area_unit"] == "pixels" and sum(a["mapped"] for a in facts["areas"]) == TRUTH.size


# --- The drawn sample -----------------------------------------------------------------------------------------


def test_a_drawn_sample_estimates_what_the_census_counts(make, assess, noisy, monkeypatch):
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", 1500)
    facts = assess(make(noisy, "map.tif"), make(TRUTH, "ref.tif"), sample=600, seed=4)
    found = facts["estimates"]
    assert found["units"] == 600 and found["area"] == pytest.approx(TRUTH.size * 100)
    true = facts["pixels"]["overall_accuracy"]
    assert abs(found["overall_accuracy"]["estimate"] - true) < 4 * found["overall_accuracy"]["standard_error"]
    for area, estimated in zip(facts["areas"], found["classes"]):
        figure = estimated["area"]
        assert abs(figure["estimate"] - area["compared_reference"]) < 4 * figure["standard_error"]
        assert figure["low"] < figure["estimate"] < figure["high"]


def test_the_seed_decides_the_draw_and_strips_do_not(make, assess, noisy, monkeypatch):
    map_, reference = make(noisy, "map.tif"), make(TRUTH, "ref.tif")
    first = assess(map_, reference, sample=200, seed=1)["estimates"]["matrix"]
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", 700)
    assert assess(map_, reference, sample=200, seed=1)["estimates"]["matrix"] == first
    assert assess(map_, reference, sample=200, seed=2)["estimates"]["matrix"] != first


def test_the_draw_is_unbiased_where_pixels_differ_in_area(make, assess):
    """Degrees: each row another area. By area the reference is half wrong, by pixels far less than half."""
    rows = np.arange(85)[:, None] * np.ones((1, 20), int)
    weights = np.cos(np.radians(85 - rows - 0.5))
    border = int(np.searchsorted(np.cumsum(weights[:, 0]) / weights[:, 0].sum(), 0.5))
    grid = {"crs": "EPSG:4326", "transform": from_origin(0, 85, 1, 1)}
    map_ = make(np.ones((85, 20), np.uint8), "map.tif", **grid)
    reference = make(np.where(rows > border, 2, 1).astype(np.uint8), "ref.tif", **grid)
    facts = assess(map_, reference, sample=4000)
    by_area = facts["areas"][0]["compared_reference"] / facts["areas"][0]["compared_mapped"]
    overall = facts["estimates"]["overall_accuracy"]
    assert abs(by_area - 0.5) < 0.02 and facts["pixels"]["overall_accuracy"] > 0.6
    assert abs(overall["estimate"] - by_area) < 4 * overall["standard_error"]


def test_every_pixel_of_a_class_can_be_drawn(make, tmp_path):
    """Each of 16 pixels comes about as often as the others."""
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    reference = class_raster.ClassRaster(str(make(values, "ref.tif")))
    land = class_raster.ClassRaster(str(make(np.ones((4, 4), np.uint8), "map.tif")))
    with reference, land:
        from backend.accuracy.areas import PixelAreas

        census = reference_raster.RasterReference(reference, 3200, 9)
        found = census.compare(land, PixelAreas(land.grid), lambda rows: None)
    times = np.bincount([label for _, label in found.units], minlength=16)
    assert times.sum() == 3200 and np.all(np.abs(times - 200) < 5 * np.sqrt(200))


# --- Vectors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strip", [2**20, 1000])
def test_points_are_units(make, assess, noisy, geojson, monkeypatch, strip):
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", strip)
    generator = np.random.default_rng(2)
    places = [(int(generator.integers(60)), int(generator.integers(120))) for _ in range(300)]
    features = [(int(TRUTH[p]), {"type": "Point", "coordinates": centre(*p)}) for p in places]
    features += [(10, {"type": "Point", "coordinates": centre(-3, 0)}), (None, features[0][1]), (10, None)]
    facts = assess(make(noisy, "map.tif"), geojson(features))
    rows, columns = np.array(places).T
    wanted = brute(noisy[rows, columns], TRUTH[rows, columns], (10, 40, 80))
    assert facts["pixels"]["matrix"] == facts["estimates"]["matrix"] == wanted
    assert facts["left_out"] == {
        "points outside the map": 1, "features without a geometry": 1, "features without a class": 1,
    }  # fmt: skip
    # The whole map is the population.
    weights = [found["weight"] for found in facts["estimates"]["classes"]]
    assert weights == pytest.approx([(noisy == v).mean() for v in (10, 40, 80)])


def test_a_polygon_is_one_unit_but_all_its_pixels(make, assess, geojson, monkeypatch):
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", 500)
    map_ = TRUTH.copy()
    map_[0:4, 0:10] = 80  # a wrong corner, smaller than the rest of the first polygon
    polygons = [(10, box(0, 0, 20, 10)), (40, box(0, 45, 5, 50)), (10, box(35, 90, 40, 95)),
                (80, box(35, 50, 45, 60)), (80, box(0, 100, 3, 103)), (40, box(40, 10, 50, 12))]  # fmt: skip
    tiny = {"type": "Polygon", "coordinates": [[centre(50, 50), [500_506, 4_599_494], [500_507, 4_599_494],
                                                centre(50, 50)]]}  # fmt: skip
    facts = assess(make(map_, "map.tif"), geojson([*polygons, (40, tiny)]))
    assert facts["estimates"]["matrix"] == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    assert facts["pixels"]["matrix"] == [[160 + 25, 0, 0], [0, 25 + 20, 0], [40, 0, 100 + 9]]
    assert facts["left_out"] == {"polygons without the centre of a pixel that has a map value": 1}
    assert any("one sampling unit" in note for note in facts["notes"])


def test_names_and_mapped_names(make, assess, geojson):
    path = make(TRUTH, "map.tif")
    Path(f"{path}.aux.xml").write_text(aux_xml(CLASSES, {}))
    places = [(0, 0), (0, 50), (0, 100), (40, 10), (40, 50), (40, 100), (1, 1), (2, 2)]
    names = ["tree", "CROP ", "Lake", "crop", "lake", "Tree", "rocks", "10"]
    points = [(n, {"type": "Point", "coordinates": centre(*p)}) for n, p in zip(names, places)]
    facts = assess(path, geojson(points), mapping={"lake": 80})
    assert facts["pixels"]["matrix"] == [[3, 0, 0], [0, 2, 0], [0, 0, 2]]
    assert [c["name"] for c in facts["classes"]] == ["Tree", "Crop", "Water"]
    assert facts["left_out"] == {"features of the class 'rocks', which the map doesn't name": 1}
    with pytest.raises(InputError, match=r"'rocks'.*Tree, Crop, Water"):
        assess(path, geojson([("rocks", points[0][1])]))


def test_values_to_ignore_are_those_of_the_file(make, assess, geojson):
    """Before values are mapped, for vectors as for rasters."""
    points = [(v, {"type": "Point", "coordinates": centre(0, c)}) for v, c in ((1, 0), (2, 1), ("7", 2), (10, 3))]
    facts = assess(make(TRUTH, "map.tif"), geojson(points), mapping={"1": 10, "2": 7}, ignore_reference=[7])
    assert facts["left_out"] == {"features with a value to ignore": 1} and facts["pixels"]["total"] == 3


def test_points_in_degrees(make, assess, geojson):
    lon, lat = transform("EPSG:32630", "EPSG:4326", [500_105, 500_505], [4_599_895, 4_599_895])
    points = [(v, {"type": "Point", "coordinates": [x, y]}) for v, x, y in zip((10, 40), lon, lat)]
    assert assess(make(TRUTH, "map.tif"), geojson(points, crs=None))["pixels"]["overall_accuracy"] == 1


def test_too_few_units_are_told_instead_of_estimated(make, assess, geojson):
    facts = assess(make(TRUTH, "map.tif"), geojson([(10, {"type": "Point", "coordinates": centre(0, 0)})]))
    assert facts["estimates"] is None and any("No estimates" in note for note in facts["notes"])
    points = [(10, {"type": "Point", "coordinates": centre(0, c)}) for c in range(4)]
    facts = assess(make(TRUTH, "map.tif"), geojson(points))
    assert facts["estimates"]["area"] == pytest.approx(2400 * 100)
    assert any("40 (0), 80 (0)" in note and "66.7 %" in note for note in facts["notes"])


# --- Refusals and outputs -------------------------------------------------------------------------------------


FAR = from_origin(700_000, 4_600_000, 10, 10)
EMPTY = np.zeros((60, 120), np.uint8)
POINT, AWAY = {"type": "Point", "coordinates": centre(0, 0)}, {"type": "Point", "coordinates": [1, 1]}
LINE = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
# What is wrong: how to make the map and the reference of the good map, and what the refusal says.
REFUSALS = {
    "float map": (lambda make, _, good: (make(TRUTH.astype(np.float32), "f.tif"), good), "float32"),
    "float reference": (lambda make, _, good: (good, make(TRUTH.astype(np.float32), "f.tif")), "float32"),
    "complex": (lambda make, _, good: (make(TRUTH.astype(np.complex64), "f.tif"), good), "complex64"),
    "elsewhere": (lambda make, _, good: (good, make(TRUTH, "r.tif", transform=FAR)), "does not overlap"),
    "points elsewhere": (lambda _, geojson, good: (good, geojson([(10, AWAY)])), "does not overlap"),
    "nothing in common": (lambda make, _, good: (good, make(TRUTH + 1, "r.tif")), "no class in common"),
    "too many values": (lambda make, _, good: (make(np.arange(7200, dtype="int32").reshape(60, 120), "m.tif"), good),
                        "more than 256"),
    "all nodata": (lambda make, _, good: (make(EMPTY, "m.tif", nodata=0), good), "no valid pixel"),
    "reference nodata": (lambda make, _, good: (good, make(EMPTY, "r.tif", nodata=0)), "No pixel of the map"),
    "one crs": (lambda make, _, good: (good, make(TRUTH[:30], "r.tif", crs=None)), "no coordinate system"),
    "missing": (lambda _, __, good: (good, good.with_name("absent.tif")), "no file"),
    "line": (lambda _, geojson, good: (good, geojson([(10, POINT), (10, LINE)])), "LineString"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_say_why_and_leave_nothing(make, geojson, tmp_path, cli, kind):
    build, match = REFUSALS[kind]
    map_, reference = build(make, geojson, make(TRUTH, "map.tif"))
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, err = cli("accuracy", map_, reference, tmp_path / "o.html", "--progress", "none")
    assert code == 1 and out == "" and len(err.splitlines()) == 1
    assert match in err and " hint: " in err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("cut", [0.3, 0.7])
def test_a_damaged_raster_is_refused(make, assess, noisy, cut):
    reference = make(np.random.default_rng(0).integers(0, 3, (600, 600), np.uint8), "ref.tif")
    os.truncate(reference, int(reference.stat().st_size * cut))
    with pytest.raises(InputError, match=r"damaged|not a raster"):
        assess(make(np.ones((600, 600), np.uint8), "map.tif"), reference)


def test_a_sample_is_drawn_from_rasters_only(make, assess, geojson):
    with pytest.raises(InputError, match="reference raster only"):
        assess(make(TRUTH, "m.tif"), geojson([(10, {"type": "Point", "coordinates": centre(0, 0)})]), sample=50)
    with pytest.raises(InputError, match="too small"):
        assess(make(TRUTH, "m.tif"), make(TRUTH, "r.tif"), sample=3)
    with pytest.raises(InputError, match="'Lake'"):
        assess(make(TRUTH, "m.tif"), make(TRUTH, "r.tif"), mapping={"Lake": 80})


def test_outputs_are_not_written_over_inputs_or_without_leave(make, cli, noisy, tmp_path):
    map_, reference, report = make(noisy, "map.tif"), make(TRUTH, "ref.tif"), tmp_path / "o.html"
    # As outputs of rasters may not: a report beside a raster of its name takes nothing from it.
    assert cli("accuracy", map_, reference, tmp_path / "map.html", "--json", tmp_path / "map.json")[0] == 0
    report.write_text("older")
    for outputs in ([report], [map_, "--overwrite"], [tmp_path / "n.html", "--json", tmp_path / "n.html"],
                    [tmp_path / "no" / "n.html"], [tmp_path, "--overwrite"]):  # fmt: skip
        assert cli("accuracy", map_, reference, *outputs, "--progress", "none")[0] == 1
    assert report.read_text() == "older"
    assert cli("accuracy", map_, reference, report, "--overwrite", "--progress", "none")[0] == 0
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_matrix_as_csv(make, assess, noisy, tmp_path):
    path = make(noisy, "map.tif")
    Path(f"{path}.aux.xml").write_text(aux_xml(CLASSES, {}))
    facts = assess(path, make(TRUTH, "ref.tif"), csv=tmp_path / "m.csv")
    with open(tmp_path / "m.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0][1:] == ["10 Tree", "40 Crop", "80 Water", "sum"]
    assert [[int(v) for v in line[1:4]] for line in lines[1:4]] == facts["pixels"]["matrix"]
    assert int(lines[4][4]) == TRUTH.size


def test_events(make, noisy, cli, tmp_path):
    map_, reference = make(noisy, "map.tif"), make(TRUTH, "ref.tif")
    code, out, err = cli("accuracy", map_, reference, tmp_path / "o.html", "--sample", 300, "--progress", "json")
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert {e["event"] for e in events} == {"start", "progress", "log", "result"}
    progress = [e for e in events if e["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == 2 * 60
    assert events[-1]["units"] == 300 and 0 < events[-1]["estimated_overall_accuracy"] < 1
    assert events[-1]["overall_accuracy"] == pytest.approx((noisy == TRUTH).mean())


@pytest.mark.parametrize("text", ["1", "1=", "=2", "1=x", "a=1.5"])
def test_a_mapping_that_is_none_is_wrong_usage(cli, text):
    assert cli("accuracy", "a", "b", "c", "--remap", text)[0] == 2


def test_cancelled_runs_leave_the_older_report(make, noisy, tmp_path, monkeypatch):
    monkeypatch.setattr(class_raster, "STRIP_PIXELS", 500)
    report, cancel = tmp_path / "o.html", Cancel()
    report.write_text("older")

    class Stopper(Reporter):
        def progress(self, done, total):
            cancel.set()

    request = AccuracyRequest(str(make(noisy, "map.tif")), str(make(TRUTH, "ref.tif")), report, overwrite=True,
                              reporter=Stopper(), cancel=cancel)  # fmt: skip
    with pytest.raises(Cancelled):
        accuracy(request)
    assert report.read_text() == "older"
    assert not [p for p in tmp_path.iterdir() if "sardino-part" in p.name]


def test_a_full_disk_leaves_the_older_report(make, noisy, tmp_path):
    sources = [str(make(noisy, "map.tif")), str(make(TRUTH, "ref.tif"))]
    with mounted(tmp_path / "disk", "size=1m") as disk:
        accuracy(AccuracyRequest(*sources, disk / "o.html", disk / "o.json"))
        room = (disk / "o.html").stat().st_size + 4096
        (disk / "o.html").write_text("older")
        (disk / "o.json").unlink()
        leave_room(disk, room)
        with pytest.raises(ResourceError, match="no space is left"):
            accuracy(AccuracyRequest(*sources, disk / "o.html", disk / "o.json", overwrite=True))
        assert (disk / "o.html").read_text() == "older"
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "o.html"]


def test_large_rasters_are_read_in_strips(tmp_path, monkeypatch):
    """Never more than a strip at once, and whole rows of blocks."""
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "width": 3000, "height": 2000, "tiled": True,
               "blockxsize": 256, "blockysize": 256, "compress": "deflate"}  # fmt: skip
    with rasterio.open(tmp_path / "m.tif", "w", **profile, transform=FAR):
        pass
    with class_raster.ClassRaster(str(tmp_path / "m.tif")) as raster:
        strips = list(raster.strips())
    assert all((bottom - top) * 3000 <= class_raster.STRIP_PIXELS for top, bottom in strips)
    assert all(top % 256 == 0 for top, _ in strips) and strips[-1][1] == 2000
