"""Terrain flattening, local incidence angles, layover and shadow agree with geometry that is known otherwise.

Truth is computed by local directions (Ulander 1996): the area of the ground in a sample, in relation to that of the
sample in the slant plane, is cos(local incidence angle) / cos(angle between slope's normal and slant plane's normal).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from backend.core.context import Context
from backend.core.errors import InputError
from backend.grd.command import calibrate
from backend.grd.map_plan import plan_map
from backend.grd.product import open_product
from backend.grd.request import CalibrateRequest
from backend.grd.terrain.accumulate import accumulate
from backend.grd.terrain.elevation import Elevation
from backend.grd.terrain.lattice import LAYOVER, SHADOWED, Lattice
from backend.grd.terrain.range_doppler import RangeDoppler
from backend.grd.terrain.relief import Terrain
from backend.grd.terrain.visibility import layover, visible
from tests.support.backend.listener import Listener
from tests.support.make_safe import make_safe
from tests.support.mountain import DESCENDING, dem_of, middle, mountain
from tests.support.safe.orbit import Imaged, geocentric, seen, write_dem

SHAPE = (160, 700)
SMALL = Imaged(**{**DESCENDING.__dict__, "shape": SHAPE, "height": 200.0})
BELLS = 500.0  # digital numbers of the product, whose calibration factors are 500 too: beta nought is 1 everywhere


def local(geometry, heights, longitude, latitude):
    """Return the area in relation to that in the slant plane, and the local incidence angle in degrees, of a point."""
    step = 1e-5

    def at(x, y):
        return geocentric(x, y, heights(x, y))[0]

    point = at(longitude, latitude)
    normal = np.cross(
        at(longitude + step, latitude) - at(longitude - step, latitude),
        at(longitude, latitude + step) - at(longitude, latitude - step),
    )
    time, _ = geometry.look(point)
    away, ahead = geometry.place(time) - point, geometry.velocity(time)
    away, ahead, normal = (v / np.linalg.norm(v) for v in (away, ahead, normal))
    plane = np.cross(away, ahead)
    return (normal @ away) / abs(normal @ plane / np.linalg.norm(plane)), np.degrees(np.arccos(normal @ away))


def ramp(across, along):
    """Return heights of a plane that rises by `across` a metre to the east and `along` to the north, about 800 m."""

    def heights(x, y):
        east, north = middle(SMALL)
        rise = across * (x - east) * 111_320 * np.cos(np.radians(north)) + along * (y - north) * 111_320
        return 800 + np.clip(rise, -900, 900)

    return heights


def dem(path, heights, step=1 / 3600):
    return dem_of(path, SMALL, lambda values, x, y: heights(x, y) + 0 * values, step=step, reach=0.1)


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """A product of which beta nought is 1 everywhere."""
    numbers = seen(SMALL, numbers=lambda line, sample: np.full(line.shape, BELLS))
    return make_safe(tmp_path_factory.mktemp("even"), numbers)


def run(product, target, dem, context=None, **changes):
    asked = {"dem": str(dem), "dem_heights": "ellipsoid", "flatten": True, **changes}
    calibrate(CalibrateRequest(str(product), target, **asked), context or Context())
    with rasterio.open(target) as file:
        return file.read(1), file


def at(file, values, longitude, latitude):
    """Return the values of the pixels at points."""
    x, y = transform("EPSG:4326", file.crs, np.atleast_1d(longitude), np.atleast_1d(latitude))
    column, row = ~file.transform * (np.array(x), np.array(y))
    return values[np.floor(row).astype(int), np.floor(column).astype(int)]


def inner(geometry, heights, count=4):
    """Return longitude and latitude of points of the ground inside the image."""
    lines, samples = np.meshgrid(np.linspace(0.25, 0.75, count) * SHAPE[0], np.linspace(0.3, 0.7, count) * SHAPE[1])
    x, y = Imaged(**{**geometry.__dict__, "height": 800.0}).ground(lines.ravel(), samples.ravel())
    return list(zip(x, y))


@pytest.mark.parametrize(("across", "along"), [(0.0, 0.0), (0.3, 0.0), (-0.35, 0.1), (0.1, -0.4)])
def test_a_ramp_has_the_brightness_and_the_angle_of_its_slope(tmp_path, product, across, along):
    heights = ramp(across, along)
    values, file = run(product, tmp_path / "g.tif", dem(tmp_path / "d.tif", heights), incidence=tmp_path / "i.tif")
    with rasterio.open(tmp_path / "i.tif") as layer:
        angles = layer.read(1)
        assert layer.descriptions == ("local_incidence_angle",) and layer.transform == file.transform
    for x, y in inner(SMALL, heights):
        area, angle = local(SMALL, heights, x, y)
        assert abs(10 * np.log10(at(file, values, x, y)[0] * area)) < 0.01
        assert abs(at(file, angles, x, y)[0] - angle) < 0.02
    if not across and not along:
        assert abs(at(file, values, x, y)[0] - np.tan(np.radians(angle))) < 1e-3


def test_a_sphere_of_constant_gamma_becomes_flat(tmp_path):
    """The hill is a part of a sphere; its samples have the brightness of constant gamma nought."""
    east, north = middle(SMALL)

    def sphere(x, y):
        flat = np.hypot((x - east) * 111_320 * np.cos(np.radians(north)), (y - north) * 111_320)
        # A radius of 2,500 m, a cap of 300 m.
        return 600 + np.maximum(np.sqrt(np.maximum(2500.0**2 - flat**2, 0)) - 2200, 0)

    path = dem(tmp_path / "d.tif", sphere, step=1 / 10800)
    values, file = run(make_safe(tmp_path, seen(SMALL, numbers=lambda line, sample: np.full(line.shape, BELLS))),
                       tmp_path / "g.tif", path)  # fmt: skip
    for dx, dy in ((0, 0), (0.004, 0.002), (-0.006, 0.001), (0.001, 0.006), (-0.003, -0.005), (0.007, -0.002)):
        area, _ = local(SMALL, sphere, east + dx, north + dy)
        assert abs(10 * np.log10(at(file, values, east + dx, north + dy)[0] * area)) < 0.1


def test_the_mountain_of_points_is_flat_too(tmp_path):
    """A mountain of 1,500 m without layover, its slopes up to 26 degrees."""
    heights = lambda x, y: mountain(SMALL, x, y)  # noqa: E731
    values, file = run(make_safe(tmp_path, seen(SMALL, numbers=lambda line, sample: np.full(line.shape, BELLS))),
                       tmp_path / "g.tif", dem(tmp_path / "d.tif", heights))  # fmt: skip
    east, north = middle(SMALL)
    found = []
    for dx, dy in ((0, 0), (0.004, 0.002), (-0.006, 0.001), (0.001, 0.004), (-0.003, -0.003), (0.005, -0.002)):
        area, _ = local(SMALL, heights, east + dx, north + dy)
        found.append(10 * np.log10(at(file, values, east + dx, north + dy)[0] * area))
    assert np.abs(found).max() < 0.02


def test_jumps_between_blocks_of_lines_leave_no_trace(tmp_path, product):
    jumping = Imaged(**{**SMALL.__dict__, "jump": 40.0, "shape": (500, 700)})
    made = seen(jumping, numbers=lambda line, sample: np.full(line.shape, BELLS))
    values, file = run(make_safe(tmp_path, made), tmp_path / "g.tif", dem(tmp_path / "d.tif", ramp(0.0, 0.0)))
    x, y = Imaged(**{**SMALL.__dict__, "height": 800.0}).ground(np.linspace(300, 380, 9), np.full(9, 350.0))
    assert np.abs(10 * np.log10(at(file, values, x, y) / np.median(values[np.isfinite(values)]))).max() < 0.1


def wall(x, y):
    """Return the heights of a ridge of 2,000 m, with slopes of 60 degrees to both sides."""
    east, north = middle(SMALL)
    away = np.abs((x - east) * 111_320 * np.cos(np.radians(north)))
    return 200 + np.maximum(500 - away * np.tan(np.radians(60)), 0)


def test_a_ridge_has_layover_before_and_shadow_behind(tmp_path, product):
    path = dem(tmp_path / "d.tif", wall, step=1 / 10800)
    mask_path = tmp_path / "m.tif"
    values, file = run(product, tmp_path / "g.tif", path, mask=mask_path, incidence=tmp_path / "i.tif")
    with rasterio.open(mask_path) as layer:
        mask = layer.read(1)
        assert layer.nodata == 255 and layer.descriptions == ("layover_shadow_mask",)
    east, north = middle(SMALL)
    metres = 111_320 * np.cos(np.radians(north))

    def seen_as(offset):
        return int(at(file, mask, east + offset / metres, north)[0])

    # The satellite descends and looks west: from the east.
    assert seen_as(150) & LAYOVER and seen_as(280) & LAYOVER
    assert seen_as(-150) & SHADOWED and seen_as(-280) & SHADOWED
    assert seen_as(2000) == 0 and seen_as(-1100) == 0
    assert np.isnan(at(file, values, east - 200 / metres, north)[0])
    assert (mask == 255)[~np.isfinite(values)].any() and not (mask == 255)[np.isfinite(values)].any()
    hidden, _ = run(product, tmp_path / "h.tif", path, mask_nodata=True)
    assert np.isnan(hidden[(mask > 0) & (mask < 255)]).all()
    clear = mask == 0
    assert np.array_equal(hidden[clear], values[clear], equal_nan=True)


def test_flattening_keeps_the_area_of_all_facets():
    rng = np.random.default_rng(3)
    areas, line = rng.random(500), rng.uniform(1, 8, 500)
    ends = rng.uniform(1, 40, 500), rng.uniform(1, 40, 500)
    total = accumulate(areas, ends, line, (10, 41))
    assert np.isclose(total.sum(), areas.sum()) and (total > -1e-9).all()
    # Of what reaches beyond a side, the part inside counts.
    one = accumulate(np.array([2.0]), (np.array([-1.0]), np.array([3.0])), np.array([0.25]), (2, 2))
    assert np.allclose(one, [[0.375, 0.375], [0.125, 0.125]])
    point = accumulate(np.array([1.0]), (np.array([2.5]), np.array([2.5])), np.array([1.0]), (3, 5))
    assert np.isclose(point[1, 2], 1) and np.isclose(point.sum(), 1)


def test_shadow_and_layover_of_a_profile():
    assert visible(np.array([[0.1, 0.2, 0.5, 0.4, 0.45, 0.6]])).tolist() == [[True, True, False, False, True]]
    assert layover(np.array([[0.0, 1.0, 3.0, 2.0, 4.0, 5.0]])).tolist() == [[False, True, True, True, False]]


def test_areas_don_t_depend_on_the_strips(tmp_path, product):
    channel = open_product(str(product)).channels[0]
    with Elevation(dem(tmp_path / "d.tif", lambda x, y: mountain(SMALL, x, y, 700)), 10) as elevation:
        terrain = Terrain(RangeDoppler(channel), elevation, geoid=False)
        lattice = Lattice(terrain, plan_map(channel, 10, None, terrain))
        whole, parts = lattice.strip(0, 60).area, [lattice.strip(top, top + 20).area for top in (0, 20, 40)]
        assert np.allclose(whole, np.concatenate(parts), rtol=2e-4)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"dem": None}, "flatten can't be computed without an elevation model"),
        ({"dem": None, "flatten": False, "mask": Path("m.tif")}, "mask can't be computed without"),
        ({"quantity": "sigma0"}, "flattening gives gamma0"),
    ],
)
def test_contradictory_requests_are_refused(tmp_path, product, changes, match, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"dem": "d.tif", "flatten": True, **changes}
    with pytest.raises(InputError, match=match):
        calibrate(CalibrateRequest(str(product), tmp_path / "o.tif", **asked), Context())
    assert not list(tmp_path.iterdir())


def test_holes_of_the_elevation_model_are_nodata_and_said(tmp_path, product):
    east, north = middle(SMALL)
    size = 200
    heights = np.full((size, size), 800, dtype=np.float32)
    heights[:, size // 2 :] = -9999
    path = write_dem(tmp_path / "d.tif", heights, (east - 0.05, north + 0.05), 0.0005, nodata=-9999)
    said = Listener()
    values, file = run(product, tmp_path / "g.tif", path, Context(said))
    assert np.isnan(at(file, values, east + 0.003, north)[0])
    assert 0.5 < at(file, values, east - 0.003, north)[0] < 1.5
    assert any("no heights" in message for message in said.messages)
