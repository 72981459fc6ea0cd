"""Test samples drawn from a reference raster."""

import numpy as np
import pytest
from rasterio.transform import from_origin

from backend.accuracy import class_raster, reference_raster
from backend.raster import blocks
from tests.support.class_maps import TRUTH


def test_a_drawn_sample_estimates_what_the_census_counts(make, assess, noisy, monkeypatch):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 1500)
    facts = assess(make(noisy, "map.tif"), make(TRUTH, "ref.tif"), sample=600, seed=4)
    found = facts["estimates"]
    assert found["units"] == 600 and found["area"] == pytest.approx(TRUTH.size * 100)
    true = facts["pixels"]["overall_accuracy"]
    assert abs(found["overall_accuracy"]["estimate"] - true) < 4 * found["overall_accuracy"]["standard_error"]
    for area, estimated in zip(facts["areas"], found["classes"]):
        figure = estimated["area"]
        assert abs(figure["estimate"] - area["compared_reference"]) < 4 * figure["standard_error"]
        assert figure["low"] < figure["estimate"] < figure["high"]


def test_the_draw_depends_on_the_seed_not_on_strips(make, assess, noisy, monkeypatch):
    map_, reference = make(noisy, "map.tif"), make(TRUTH, "ref.tif")
    first = assess(map_, reference, sample=200, seed=1)["estimates"]["matrix"]
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 700)
    assert assess(map_, reference, sample=200, seed=1)["estimates"]["matrix"] == first
    assert assess(map_, reference, sample=200, seed=2)["estimates"]["matrix"] != first


def test_the_draw_is_unbiased_where_pixels_differ_in_area(make, assess):
    """In degrees rows differ in area: half of the area is wrong, but far less than half of the pixels."""
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
    """Each of 16 pixels is drawn about equally often."""
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    reference = class_raster.ClassRaster(str(make(values, "ref.tif")))
    class_map = class_raster.ClassRaster(str(make(np.ones((4, 4), np.uint8), "map.tif")))
    with reference, class_map:
        from backend.accuracy.areas import PixelAreas

        census = reference_raster.RasterReference(reference, 3200, 9)
        found = census.compare(class_map, PixelAreas(class_map.grid), lambda rows: None)
    times = np.bincount([label for _, label in found.units], minlength=16)
    assert times.sum() == 3200 and np.all(np.abs(times - 200) < 5 * np.sqrt(200))
