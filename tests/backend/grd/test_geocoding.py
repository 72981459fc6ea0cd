"""Pixels of a geocoded product are in the right place; digital numbers hold their own position."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform

from backend.core.context import Context
from backend.core.errors import InputError
from backend.grd.command import calibrate
from backend.grd.ground_control import choose_crs
from backend.grd.map_plan import plan_map
from backend.grd.product import open_product
from backend.grd.request import CalibrateRequest
from backend.grd.resample import FLOOR
from tests.support.make_safe import Scene, make_safe, simulated, slanting


def run(folder, target, **options):
    calibrate(CalibrateRequest(str(folder), target, quantity="sigma0", overwrite=True, **options), Context())
    with rasterio.open(target) as file:
        return file.read(), file.transform, file.crs


def errors(tmp_path, scene):
    """Return the errors of pixels in metres, and the share of pixels that have a value.

    Digital numbers are whole metres along one axis of the scene's CRS in VV, and along the other in VH.
    """
    line, sample = np.mgrid[: scene.shape[0], : scene.shape[1]]
    begin = [axis.min() - 1000 for axis in scene.ground(line, sample)]
    scene.numbers = lambda line, sample: scene.ground(line, sample)[0] - begin[0]
    scene.cross = lambda line, sample: scene.ground(line, sample)[1] - begin[1]
    scene.noise, scene.flat = "none", True
    values, place, crs = run(make_safe(tmp_path, scene), tmp_path / "out.tif")
    rows, columns = np.nonzero(np.isfinite(values[0]))
    found = 500 * np.sqrt(values[:, rows, columns].astype(float)) + np.array(begin)[:, None]
    x, y = place * (columns + 0.5, rows + 0.5)
    return np.hypot(*(found - transform(crs, scene.crs, x, y))), np.isfinite(values[0]).mean()


def test_a_curved_scene_is_placed_right(tmp_path):
    wrong, share = errors(tmp_path, Scene())
    # At the border, the last half pixel has no neighbour for interpolation.
    assert share > 0.6 and np.quantile(wrong, 0.97) < 1.2 and wrong.max() < 7.1


def kilometres(line, sample):
    """A scene 180 km long, whose positions follow the terrain: up and down by 150 m from line to line."""
    east, north = slanting(line * 90, sample * 90)
    return east + 150 * np.sin(line / 25), north


def test_terrain_that_no_polynomial_fits(tmp_path):
    """As in the product over the Western Ghats (`map_plan.py`); a polynomial would be 100 m off."""
    scene = Scene(polarisations=("VV",), noise="none", flat=True, ground=kilometres, spacing=900)
    product = open_product(str(make_safe(tmp_path, scene)))
    plan = plan_map(product.channels[0], 900, None)
    line, sample = (v.ravel().astype(float) for v in np.meshgrid(scene.lines(6), scene.samples(9), indexing="ij"))
    found = plan.to_image(np.stack(kilometres(line, sample), axis=1))
    assert np.abs(found - 0.5 - np.stack((sample, line), axis=1)).max() < 1e-3


@settings(max_examples=12)
@given(
    angle=st.floats(0, 2 * math.pi),
    flip=st.booleans(),
    place=st.tuples(
        st.floats(-180, 180), st.sampled_from([-88.0, -60.0, -33.0, -0.01, 0.0, 12.0, 51.0, 72.0, 83.9, 88.0])
    ),
    spacing=st.sampled_from([5.0, 10.0, 25.0]),
    curve=st.floats(-3e-6, 3e-6),
)
def test_any_heading_and_any_place(tmp_path_factory, angle, flip, place, spacing, curve):
    crs = choose_crs(np.array([place]))
    (x0,), (y0,) = transform(CRS.from_epsg(4326), crs, *([degrees] for degrees in place))

    def ground(line, sample):
        x, y = (sample - 30) * spacing * (-1 if flip else 1), (line - 25) * spacing
        east = x0 + math.cos(angle) * x - math.sin(angle) * y + curve * x * y
        return east, y0 + math.sin(angle) * x + math.cos(angle) * y + curve * x * x

    tmp_path = tmp_path_factory.mktemp("any")
    scene = Scene(shape=(50, 60), crs=crs, ground=ground, spacing=spacing)
    wrong, share = errors(tmp_path, scene)
    assert share > 0.3 and np.quantile(wrong, 0.9) < 0.8 + 0.05 * spacing and wrong.max() < 0.8 + 0.8 * spacing


def test_both_sides_of_the_antimeridian_are_one_scene(tmp_path):
    crs = CRS.from_epsg(32660)
    (x0,), (y0,) = transform(CRS.from_epsg(4326), crs, [180.0], [-17.0])
    scene = Scene(crs=CRS.from_epsg(32760))
    scene.ground = lambda line, sample: (x0 + 10 * (sample - 130), 1e7 + y0 - 10 * (line - 100))
    wrong, share = errors(tmp_path, scene)
    with rasterio.open(tmp_path / "out.tif") as file:
        west, east = (transform(file.crs, "EPSG:4326", [x], [file.bounds.bottom])[0][0]
                      for x in (file.bounds.left, file.bounds.right))  # fmt: skip
        assert file.crs.to_epsg() in (32701, 32760) and file.width < 300
    assert west > 179 and east < -179 and np.quantile(wrong, 0.9) < 1.2 and share > 0.7


def test_grid_is_north_up_at_multiples_of_the_pixel_size(tmp_path):
    for size in (None, 20.0, 12.5):
        _, place, crs = run(make_safe(tmp_path), tmp_path / "o.tif", pixel_size=size)
        assert (place.a, place.e, place.b, place.d) == (size or 10, -(size or 10), 0, 0)
        assert place.c % place.a == 0 and place.f % place.a == 0 and crs.to_epsg() == 32632


def test_an_extent_gives_the_same_pixels_as_the_whole(tmp_path):
    folder = make_safe(tmp_path)
    whole, place, crs = run(folder, tmp_path / "o.tif")
    x, y = place * (np.array([100, 160]), np.array([120, 90]))
    (west, east), (south, north) = transform(crs, "EPSG:4326", x, y)
    part, corner, _ = run(folder, tmp_path / "p.tif", extent=(west, south, east, north))
    column, row = (int(v) for v in ~place * (corner.c, corner.f))
    _, height, width = part.shape
    assert 60 <= width <= 63 and 30 <= height <= 33 and abs(column - 100) < 3 and abs(row - 90) < 3
    same = whole[:, row : row + height, column : column + width]
    assert np.isfinite(part).all() and np.allclose(part, same, rtol=0.01, atol=1e-4)  # the tolerance of warping


@pytest.mark.parametrize(
    ("extent", "match"),
    [((20, 40, 21, 41), "outside"), ((9.3, 45.9, 9.2, 46), "empty"), ((519000, 5e6, 520000, 5.1e6), "in degrees"),
     ((9.2, 45.9, math.nan, 46), "empty")],
)  # fmt: skip
def test_impossible_extents_are_refused(tmp_path, extent, match):
    with pytest.raises(InputError, match=match):
        run(make_safe(tmp_path), tmp_path / "o.tif", extent=extent)
    assert [p.name for p in tmp_path.iterdir()] == [Scene().name]


def test_power_is_averaged_never_decibels(tmp_path):
    """A chequerboard of 0 and 20 dB has a mean of 17 dB, and of 10 dB if it is averaged wrongly."""
    scene = Scene(polarisations=("VV",), noise="none", flat=True,
                  ground=lambda line, sample: (520000 + 10 * sample, 5_090_000 - 10 * line),
                  numbers=lambda line, sample: np.where((line + sample) % 2, 500.0, 5000.0))  # fmt: skip
    values, _, _ = run(make_safe(tmp_path, scene), tmp_path / "o.tif", pixel_size=80, units="db")
    inside = values[0][2:-2, 2:-2]
    assert np.abs(inside - 10 * np.log10(50.5)).max() < 0.5


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("spacing", [(40.0, 10.0), (10.0, 40.0)])
def test_each_axis_is_averaged_by_its_own_spacing(tmp_path, spacing, turned):
    """Neighbours along the finer axis are 20 dB apart; a pixel of the coarser spacing holds four of them."""

    def ground(line, sample):
        x, y = spacing[0] * sample, spacing[1] * line
        return (520000 + y, 5_090_000 - x) if turned else (520000 + x, 5_090_000 - y)

    def numbers(line, sample):
        return np.where((line if spacing[1] < spacing[0] else sample) % 2, 500.0, 5000.0)

    scene = Scene(polarisations=("VV",), noise="none", flat=True, ground=ground, numbers=numbers,
                  spacing=spacing[0], line_spacing=spacing[1])  # fmt: skip
    folder = make_safe(tmp_path, scene)
    values, place, _ = run(folder, tmp_path / "o.tif", pixel_size=40, units="db")
    assert np.abs(values[0][2:-2, 2:-2] - 10 * np.log10(50.5)).max() < 0.5
    _, place, _ = run(folder, tmp_path / "o.tif")
    assert place.a == 10


def test_holes_stay_holes_and_nothing_is_below_the_floor(tmp_path):
    def numbers(line, sample):
        return np.where((line // 50 + sample // 50) % 2, simulated(line, sample), 0)

    values, _, _ = run(make_safe(tmp_path, Scene(numbers=numbers, noise_level=9000)), tmp_path / "o.tif")
    assert 0.5 < np.isnan(values[0]).mean() < 0.75
    assert np.nanmin(values) == FLOOR and (values == FLOOR).mean() > 0.05


@pytest.mark.parametrize(
    ("degrees", "code"),
    [([[9.2, 45]], 32632), ([[-0.1, -1]], 32730), ([[179, 0], [-178, 0]], 32601), ([[180, 10]], 32660),
     ([[-180, 10]], 32601), ([[30, 85]], 32661), ([[30, -81]], 32761)],
)  # fmt: skip
def test_zones(degrees, code):
    found = choose_crs(np.array(degrees, dtype=float)).to_epsg()
    assert found == code or {found, code} == {32601, 32660}  # 180 is the border of both
