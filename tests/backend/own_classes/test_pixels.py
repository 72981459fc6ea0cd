"""Test pixels of points and polygons, and overlaps."""

from __future__ import annotations

from backend.own_classes.pixels import PER_SAMPLE, find_pixels, without_overlaps
from backend.own_classes.samples import Sample
from tests.support.samples import UTM, square


def test_points_and_tiny_polygons_give_a_pixel():
    to = UTM["transform"]
    point = Sample({"type": "Point", "coordinates": [5e5 + 35, 5e6 - 28]}, 1)
    tiny = Sample(square(5e5 + 51, 5e6 - 51, 2), 1)
    outside = Sample(square(4e5, 5e6, 50), 1)
    found = find_pixels([point, tiny, outside, Sample(square(5e5, 5e6, 50), 1)], to, 20, 20)
    where = {n: set(zip(found.rows[found.sample == n], found.columns[found.sample == n])) for n in range(4)}
    assert where[0] == {(2, 3)} and where[1] == {(5, 5)} and where[2] == set()
    assert where[3] == {(row, column) for row in range(5) for column in range(5)}


def test_a_huge_polygon_gives_few_pixels():
    found = find_pixels([Sample(square(5e5, 5e6, 1e6), 1)], UTM["transform"], 100_000, 100_000)
    assert len(found) == PER_SAMPLE and found.rows.max() > 50_000 and found.columns.max() > 50_000


def test_pixels_that_two_classes_cover_are_left_out():
    to = UTM["transform"]
    items = [Sample(square(5e5, 5e6, 50), 1), Sample(square(5e5 + 30, 5e6, 50), 2), Sample(square(5e5, 5e6, 50), 1)]
    found = find_pixels(items, to, 20, 20)
    kept, contested = without_overlaps(items, found, to, 20, 20)
    assert contested == 10 and kept.sum() == 15 + 15
    assert set(found.columns[kept & (found.sample == 0)]) == {0, 1, 2} and not (found.sample[kept] == 2).any()
    assert set(found.columns[kept & (found.sample == 1)]) == {5, 6, 7}


def test_overlap_of_large_polygons_is_found():
    to = UTM["transform"]
    items = [Sample(square(5e5, 5e6, 5000), "a"), Sample(square(5e5 + 2500, 5e6, 5000), "b")]
    found = find_pixels(items, to, 1000, 1000)
    kept, contested = without_overlaps(items, found, to, 1000, 1000)
    overlap = (found.columns >= 250) & (found.columns < 500)
    assert overlap.sum() > 20 and contested == overlap.sum() and (kept == ~overlap).all()
