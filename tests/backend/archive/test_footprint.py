"""Footprints in degrees: across the antimeridian, over a pole, and unknown ones."""

from __future__ import annotations

import pytest
from affine import Affine
from rasterio.crs import CRS

from backend.archive.footprint import box_geometry, footprint, meet, union_box


def place(code, left, top, pixel=10.0, side=128):
    return footprint(CRS.from_epsg(code), Affine(pixel, 0, left, 0, -pixel, top), side, side)


@pytest.mark.parametrize(
    ("code", "left", "top", "pixel"),
    [(32660, 691_000, 6_100_000, 10), (32601, 307_800, 6_100_000, 10), (4326, 179.99, 55.05, 0.00015)],
)
def test_a_scene_over_the_antimeridian_is_cut_there(code, left, top, pixel):
    geometry, (west, south, east, north) = place(code, left, top, pixel)
    assert 179.9 < west < 180 and -180 < east < -179.9 and 54.9 < south < north < 55.1
    assert geometry["type"] == "MultiPolygon" and len(geometry["coordinates"]) == 2
    for (ring,), side in zip(geometry["coordinates"], (180, -180)):
        assert ring[0] == ring[-1] and all(-180 <= lon <= 180 and abs(lon - side) < 0.1 for lon, _ in ring)
        assert sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:])) > 0


def test_others_are_one_polygon():
    geometry, box = place(32630, 500_000, 4_600_000)
    assert geometry["type"] == "Polygon" and len(geometry["coordinates"]) == 1
    lons, lats = zip(*geometry["coordinates"][0])
    assert box == (min(lons), min(lats), max(lons), max(lats))
    assert place(4326, -180.0, 10.0, 0.001)[1][:3:2] == (-180.0, -179.872)


def test_a_pole_is_inside_and_what_has_no_place_has_no_footprint():
    geometry, box = place(3031, -640, 640)
    assert box[:3:2] == (-180.0, 180.0) and box[1] == pytest.approx(-90) and geometry["type"] == "Polygon"
    assert footprint(None, Affine.identity(), 10, 10) is None
    assert place(32630, 5e9, 5e9) is None


def test_boxes_meet_across_the_antimeridian():
    crossing = (179.0, 10.0, -179.0, 20.0)
    assert meet(crossing, (-180.0, 15.0, -179.5, 16.0)) and meet((179.5, 0.0, 179.6, 10.0), crossing)
    assert not meet(crossing, (0.0, 10.0, 1.0, 20.0)) and not meet(crossing, (179.5, 21.0, 179.6, 22.0))
    assert union_box([(170.0, 0.0, 175.0, 5.0), (-175.0, 1.0, -170.0, 6.0)]) == (170.0, 0.0, -170.0, 6.0)
    assert union_box([(-120.0, 0.0, -110.0, 5.0), (0.0, 1.0, 10.0, 6.0)]) == (-120.0, 0.0, 10.0, 6.0)
    assert union_box([crossing]) == crossing and union_box([]) is None
    assert union_box([(-180.0, 0.0, 180.0, 1.0), (3.0, 0.0, 4.0, 1.0)]) == (-180.0, 0.0, 180.0, 1.0)
    assert box_geometry(crossing)["type"] == "MultiPolygon"
