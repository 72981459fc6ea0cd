"""Test pixel areas: planar, by row in degrees, and on the ellipsoid."""

import math

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.transform import from_origin

from backend.accuracy.areas import PixelAreas
from backend.raster.grid import Grid

# Surface of the WGS 84 ellipsoid in square metres, and its constants.
EARTH = 510_065_621_724_088.5
A, F = 6378137.0, 1 / 298.257223563


def zone(lower, upper):
    """Area of the ellipsoid between two latitudes (Snyder 1987, equation 3-12), whole turn, square metres."""
    e2 = F * (2 - F)
    e = math.sqrt(e2)

    def q(degrees):
        s = math.sin(math.radians(degrees))
        return (1 - e2) * (s / (1 - e2 * s * s) - math.log((1 - e * s) / (1 + e * s)) / (2 * e))

    return math.pi * A * A * (q(upper) - q(lower))


def test_the_whole_earth_in_degrees():
    areas = PixelAreas(Grid(CRS.from_epsg(4326), from_origin(-180, 90, 1, 1), 360, 180)).rows(0, 180)
    assert areas.shape == (180, 1)
    assert areas.sum() * 360 == pytest.approx(EARTH, rel=1e-12)
    assert areas[30, 0] * 360 == pytest.approx(zone(59, 60), rel=1e-12)


def test_pixels_that_cross_the_date_line_and_overhang_a_pole():
    east = PixelAreas(Grid(CRS.from_epsg(4326), from_origin(179.5, 60, 1, 1), 3, 1)).rows(0, 1)
    assert east[0, 0] == pytest.approx(zone(59, 60) / 360, rel=1e-9)
    polar = PixelAreas(Grid(CRS.from_epsg(4326), from_origin(0, 90.5, 1, 1), 1, 2)).rows(0, 2)
    assert polar[0, 0] == pytest.approx(zone(89.5, 90) / 360, rel=1e-9)


def test_metres_and_feet_are_planar():
    utm = PixelAreas(Grid(CRS.from_epsg(32630), from_origin(500_000, 4_600_000, 10, 20), 100, 100))
    assert utm.known and utm.rows(0, 5) == pytest.approx(200)
    turned = PixelAreas(Grid(CRS.from_epsg(32630), Affine(6, 8, 500_000, 8, -6, 4_600_000), 50, 50))
    assert turned.rows(0, 1) == pytest.approx(100)
    feet = PixelAreas(Grid(CRS.from_epsg(2263), from_origin(1_000_000, 200_000, 10, 10), 10, 10))
    assert feet.rows(0, 1) == pytest.approx(100 * 0.3048006096**2)


def test_web_mercator_is_measured_on_the_ground():
    grid = Grid(CRS.from_epsg(3857), from_origin(1_000_000, 8_400_000, 10, 10), 40, 3)
    areas = PixelAreas(grid)
    found = areas.rows(1, 3)
    assert found.shape == (2, 40) and "ellipsoid" in areas.method
    # About 60 degrees north: a quarter of the nominal area.
    latitude = 2 * math.atan(math.exp(8_400_000 / A)) - math.pi / 2
    assert found[0, 0] == pytest.approx(100 * math.cos(latitude) ** 2, rel=0.01)
    assert np.all(np.diff(found, axis=0) > 0)


def test_between_measured_columns_areas_are_interpolated():
    grid = Grid(CRS.from_epsg(3413), from_origin(-1_000_000, -500_000, 1000, 1000), 1000, 2)
    row = PixelAreas(grid).rows(0, 1)[0]
    one = Grid(grid.crs, grid.transform * Affine.translation(517, 0), 1, 1)
    assert row[517] == pytest.approx(PixelAreas(one).rows(0, 1)[0, 0], rel=1e-5)


def test_without_a_crs_pixels_are_counted():
    areas = PixelAreas(Grid(None, from_origin(0, 0, 10, 10), 5, 5))
    assert not areas.known and areas.rows(0, 5) == pytest.approx(1) and "pixels" in areas.method
