"""Test a map against points and polygons."""

from pathlib import Path

import numpy as np
import pytest
from rasterio.warp import transform

from backend.core.errors import InputError
from backend.output.styles import aux_xml
from backend.raster import blocks
from tests.support.class_maps import CLASSES, TRUTH, brute, centre


def box(top, left, bottom, right):
    """A polygon around whole pixels."""
    x0, x1, y0, y1 = 500_000 + 10 * left, 500_000 + 10 * right, 4_600_000 - 10 * bottom, 4_600_000 - 10 * top
    return {"type": "Polygon", "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]}


@pytest.mark.parametrize("strip", [2**20, 1000])
def test_points_are_units(make, assess, noisy, geojson, monkeypatch, strip):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", strip)
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


def test_a_polygon_is_one_unit_but_many_pixels(make, assess, geojson, monkeypatch):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 500)
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


def test_ignored_values_are_those_of_the_file(make, assess, geojson):
    """They are left out before values are mapped, for vectors as for rasters."""
    points = [(v, {"type": "Point", "coordinates": centre(0, c)}) for v, c in ((1, 0), (2, 1), ("7", 2), (10, 3))]
    facts = assess(make(TRUTH, "map.tif"), geojson(points), mapping={"1": 10, "2": 7}, ignore_reference=[7])
    assert facts["left_out"] == {"features with a value to ignore": 1} and facts["pixels"]["total"] == 3


def test_points_in_degrees(make, assess, geojson):
    lon, lat = transform("EPSG:32630", "EPSG:4326", [500_105, 500_505], [4_599_895, 4_599_895])
    points = [(v, {"type": "Point", "coordinates": [x, y]}) for v, x, y in zip((10, 40), lon, lat)]
    assert assess(make(TRUTH, "map.tif"), geojson(points, crs=None))["pixels"]["overall_accuracy"] == 1


def test_too_few_units_give_a_note_not_an_estimate(make, assess, geojson):
    facts = assess(make(TRUTH, "map.tif"), geojson([(10, {"type": "Point", "coordinates": centre(0, 0)})]))
    assert facts["estimates"] is None and any("No estimates" in note for note in facts["notes"])
    points = [(10, {"type": "Point", "coordinates": centre(0, c)}) for c in range(4)]
    facts = assess(make(TRUTH, "map.tif"), geojson(points))
    assert facts["estimates"]["area"] == pytest.approx(2400 * 100)
    assert any("40 (0), 80 (0)" in note and "66.7 %" in note for note in facts["notes"])


@pytest.mark.parametrize("value", [2**63 + 1, -(2**64), 2**53 + 1, "18446744073709551617", 10**400])
@pytest.mark.parametrize("shape", [{"type": "Point", "coordinates": centre(1, 1)}, box(0, 0, 20, 10)])
def test_classes_beyond_all_integers_are_refused(make, assess, geojson, value, shape):
    with pytest.raises(InputError, match="numbers of classes lie between"):
        assess(make(TRUTH, "map.tif"), geojson([(10, shape), (value, shape)]))


@pytest.mark.parametrize("options", [{"mapping": {"10": 2**70}}, {"mapping": {"10": -(2**63) - 1}}])
def test_a_mapping_beyond_all_integers_is_refused(make, assess, geojson, options):
    place = {"type": "Point", "coordinates": centre(1, 1)}
    with pytest.raises(InputError, match="numbers of classes lie between"):
        assess(make(TRUTH, "map.tif"), geojson([(10, place)]), **options)
    with pytest.raises(InputError, match="numbers of classes lie between"):
        assess(make(TRUTH, "map.tif"), make(TRUTH, "reference.tif"), **options)


@pytest.mark.parametrize(("kind", "value"), [("uint64", 2**63 + 7), ("uint64", 2**64 - 1), ("int64", -(2**63))])
def test_a_raster_of_classes_beyond_all_integers_is_refused(make, assess, kind, value):
    wide = TRUTH.astype(kind)
    wide[3, 3] = value
    for map_, reference in ((wide, TRUTH), (TRUTH, wide)):
        with pytest.raises(InputError, match=f"numbers of classes lie between|{value}"):
            assess(make(map_, "map.tif"), make(reference, "reference.tif"))
    if value < 0:
        facts = assess(make(wide, "map.tif"), make(TRUTH, "reference.tif"), ignore_map=[value])
        assert facts["pixels"]["total"] == TRUTH.size - 1


def test_a_sample_of_thousand_millions_is_refused(make, assess):
    with pytest.raises(InputError, match="1000000000 pixels is asked for; 1000000 are the most"):
        assess(make(TRUTH, "map.tif"), make(TRUTH, "reference.tif"), sample=10**9)
