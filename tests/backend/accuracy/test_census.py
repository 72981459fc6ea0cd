"""Test a map against a reference raster, pixel by pixel."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform

from backend.accuracy import class_raster
from backend.raster import blocks
from tests.support.class_maps import TRUTH, brute


@pytest.mark.parametrize("strip", [2**20, 1000])
def test_every_pixel_is_counted_with_any_strips(make, assess, noisy, monkeypatch, strip):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", strip)
    facts = assess(make(noisy, "map.tif"), make(TRUTH, "ref.tif"))
    assert facts["pixels"]["matrix"] == brute(noisy, TRUTH, (10, 40, 80))
    assert facts["pixels"]["overall_accuracy"] == pytest.approx((noisy == TRUTH).mean())
    assert facts["estimates"] is None and any("census" in note for note in facts["notes"])
    areas = facts["areas"]
    assert [a["mapped"] for a in areas] == [100 * int((noisy == v).sum()) for v in (10, 40, 80)]
    assert [a["compared_reference"] for a in areas] == [100 * 2400] * 3
    assert facts["left_out"] == {}


def test_nodata_and_ignored_values_are_left_out_and_counted(make, assess):
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
    swapped = np.where(TRUTH == 10, 40, np.where(TRUTH == 40, 10, TRUTH)).astype(np.uint8)
    facts = assess(make(TRUTH, "map.tif"), make(swapped, "ref.tif"), mapping={"10": 40, "40": 10})
    assert facts["pixels"]["overall_accuracy"] == 1


def test_values_of_one_side_only_are_noted(make, assess):
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
    """A fine grid in degrees: only pixels at the borders of classes can differ."""
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


def test_large_rasters_are_read_in_strips(tmp_path, monkeypatch):
    """Strips are bounded and are whole rows of blocks."""
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "width": 3000, "height": 2000, "tiled": True,
               "blockxsize": 256, "blockysize": 256, "compress": "deflate"}  # fmt: skip
    with rasterio.open(tmp_path / "m.tif", "w", **profile, transform=from_origin(0, 0, 10, 10)):
        pass
    with class_raster.ClassRaster(str(tmp_path / "m.tif")) as raster:
        strips = list(raster.strips())
    assert all((bottom - top) * 3000 <= blocks.STRIP_PIXELS for top, bottom in strips)
    assert all(top % 256 == 0 for top, _ in strips) and strips[-1][1] == 2000
