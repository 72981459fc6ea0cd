"""The size of pixels on the ground."""

import pytest
import rasterio
from rasterio.transform import from_origin

from backend.raster.grid import Grid


@pytest.mark.parametrize(
    "crs, transform, metres",
    [
        ("EPSG:32630", from_origin(5e5, 4e6, 10, 10), (10, 10)),
        ("EPSG:32630", rasterio.Affine(8, 6, 5e5, 6, -8, 4e6), (10, 10)),
        ("EPSG:4326", from_origin(10, 60.005, 1e-4, 1e-4), (5.58, 11.14)),
        ("EPSG:3857", from_origin(0, 8399737.9, 10, 10), (5.0, 5.0)),
        ("EPSG:2263", from_origin(9e5, 2e5, 32.80833, 32.80833), (10, 10)),
        (None, from_origin(5e5, 4e6, 10, 10), None),
    ],
)
def test_pixel_size_in_metres(crs, transform, metres):
    grid = Grid(rasterio.crs.CRS.from_string(crs) if crs else None, transform, 100, 100)
    if metres is None:
        assert grid.pixel_metres() is None
    else:
        assert grid.pixel_metres() == pytest.approx(metres, rel=0.01)


def test_a_pixel_on_the_antimeridian_has_its_size():
    for crs, place in (
        ("EPSG:4326", from_origin(179.99995, 0, 1e-4, 1e-4)),
        ("EPSG:3832", from_origin(3339584.7 - 400, 400, 10, 10)),
    ):
        grid = Grid(rasterio.crs.CRS.from_user_input(crs), place, 80, 80)
        metres = grid.pixel_metres()
        assert metres is not None and max(metres) < 12 and min(metres) > 9
