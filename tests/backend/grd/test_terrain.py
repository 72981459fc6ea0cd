"""Terrain correction: bright points on a simulated mountain, imaged from an orbit, land in the right place."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform

from backend.core.context import Context
from backend.core.errors import Cancelled, InputError
from backend.grd.command import calibrate
from backend.grd.product import open_product
from backend.grd.request import CalibrateRequest
from backend.grd.terrain.geoid import undulation
from backend.grd.terrain.range_doppler import RangeDoppler, earth_fixed
from tests.support.backend.listener import Listener, cancelled_after
from tests.support.make_safe import make_safe
from tests.support.mountain import DESCENDING, dem_of, middle, mountain, product_of, spots
from tests.support.safe.orbit import Imaged, geocentric, seen, write_dem

ASCENDING_SOUTH = Imaged(longitude=2.5, argument=math.radians(-33.0), near=880_000.0, height=120.0)


# Heights of the geoid EGM96 above the ellipsoid in metres, from PROJ's grid.
GEOID = {(9.0, 47.0): 47.703, (-75.125, 40.625): -34.624, (80.0, 5.0): -105.992, (179.9, -17.0): 51.672,
         (8.95, 47.13): 47.292}  # fmt: skip


def run(product, target, context=None, **options):
    given = {"dem_heights": "ellipsoid", "quantity": "sigma0", "overwrite": True, **options}
    calibrate(CalibrateRequest(str(product), target, **given), context or Context())
    return target


def metres_from(path, places, reach=12):
    """Return the distance of each point to the bright point within some pixels of it; infinite if there is none."""
    with rasterio.open(path) as file:
        x, y = transform("EPSG:4326", file.crs, *np.transpose(places))
        power, found = np.nan_to_num(np.pad(file.read(1), reach)), []
        for east, north in zip(x, y):
            column, row = (math.floor(v) for v in ~file.transform * (east, north))
            part = power[row : row + 2 * reach + 1, column : column + 2 * reach + 1]
            at = np.mgrid[row - reach : row + reach + 1, column - reach : column + reach + 1] + 0.5
            part = np.where(part > 10, part, 0)  # the ground has 0.01, the points 300
            down, across = (at * part).sum(axis=(1, 2)) / part.sum() if part.any() else (math.inf, 0)
            found.append(math.dist(file.transform * (across, down), (east, north)))
    return np.array(found)


@pytest.mark.parametrize("geometry", [DESCENDING, ASCENDING_SOUTH], ids=["descending", "ascending, south"])
def test_points_on_a_mountain_land_within_a_pixel(tmp_path, geometry):
    product, places = product_of(tmp_path, geometry), spots(geometry)
    corrected = run(product, tmp_path / "t.tif", dem=dem_of(tmp_path / "dem.tif", geometry))
    assert metres_from(corrected, places).max() < 2
    without = run(product, tmp_path / "g.tif", dem=None)
    # Without correction, they are displaced towards the radar as their heights demand.
    lines, samples = np.transpose([geometry.image(x, y, mountain(geometry, x, y)) for x, y in places])
    shown = np.transpose(geometry.ground(lines, samples))
    inside = (samples > 5) & (samples < geometry.shape[1] - 5)
    assert inside.sum() > 3 and metres_from(without, shown[inside]).max() < 2
    away = np.linalg.norm(geocentric(*places.T, 0 * lines) - geocentric(*shown.T, 0 * lines), axis=1)
    assert 500 < away.min() and away.max() > 1500


def test_positions_are_those_of_sarsen(tmp_path):
    """By sarsen 0.9.6 (`python -m benchmarks.checks.terrain_sarsen`): longitude, latitude, height, sample, line."""
    product = open_product(str(make_safe(tmp_path, seen(DESCENDING))))
    table = np.array([
        (8.940743714, 47.118775127, 1143.212, 253.399, 421.323), (8.947326185, 47.127776913, 1597.724, 160.595, 314.63),
        (8.956551973, 47.132280063, 1678.683, 89.549, 253.347), (8.967096368, 47.139482416, 1381.95, 65.627, 161.114),
        (8.920933665, 47.143059272, 774.126, 501.27, 184.338), (8.956537308, 47.150277139, 1094.428, 205.895, 58.194),
    ])  # fmt: skip
    geometry = RangeDoppler(product.channels[0])
    found = geometry.positions(table[:, :2], table[:, 2]) - 0.5
    assert np.abs(found - table[:, 3:]).max() < 0.003 and geometry.agreement < 0.01


def test_heights_above_the_geoid_are_raised_to_the_ellipsoid(tmp_path, relief):
    def above_geoid(values, longitude, latitude):
        return values - GEOID[8.95, 47.13]

    dem = dem_of(tmp_path / "dem.tif", DESCENDING, above_geoid)
    right = metres_from(run(relief, tmp_path / "g.tif", dem=dem, dem_heights="geoid"), spots(DESCENDING))
    wrong = metres_from(run(relief, tmp_path / "e.tif", dem=dem, dem_heights="ellipsoid"), spots(DESCENDING))
    assert right.max() < 2 and 40 < wrong.min() and wrong.max() < 150


def test_the_geoid_is_that_of_proj():
    assert np.abs(undulation(np.array(list(GEOID))) - list(GEOID.values())).max() < 0.06
    near = undulation(np.array([(179.99, 10.0), (-179.99, 10.0), (180.0, 10.0), (-180.0, 10.0)]))
    assert np.ptp(near) < 0.1 and np.isfinite(undulation(np.array([(0.0, 90.0), (0.0, -90.0)]))).all()


def test_geocentric_coordinates_are_those_of_proj():
    rng = np.random.default_rng(1)
    places = np.stack((rng.uniform(-180, 180, 50), rng.uniform(-90, 90, 50)), axis=1)
    heights = rng.uniform(-400, 8800, 50)
    assert np.abs(earth_fixed(places, heights) - geocentric(*places.T, heights)).max() < 1e-5


@pytest.mark.parametrize("kind", ["utm", "feet", "vertical feet", "scaled", "fine", "coarse pixels"])
def test_elevation_models_of_any_form(tmp_path, relief, dem, kind):
    path, options = tmp_path / "dem.tif", {}
    if kind == "utm":
        utm = CRS.from_epsg(32632)
        x, y = np.meshgrid(np.arange(485_000, 500_000, 20) + 10, np.arange(5_228_000, 5_212_000, -20) - 10)
        degrees = np.array(transform(utm, "EPSG:4326", x.ravel(), y.ravel()))
        write_dem(
            path, mountain(DESCENDING, *degrees).reshape(x.shape).astype("float32"), (485_000, 5_228_000), 20, utm
        )
    elif kind == "fine":
        dem_of(path, DESCENDING, step=1 / 36000, reach=0.06)
    elif kind == "vertical feet":
        dem_of(path, DESCENDING, lambda values, *_: values / 0.3048, crs="EPSG:4326+8228")
    else:
        factor = {"feet": 0.3048, "scaled": 0.5}.get(kind, 1)
        dem_of(path, DESCENDING, lambda values, *_: values / factor)
        with rasterio.open(path, "r+") as file:
            file.units, file.scales = ("ft" if kind == "feet" else "m",), (0.5 if kind == "scaled" else 1,)
    if kind == "coarse pixels":
        options["pixel_size"] = 30.0
    found = metres_from(run(relief, tmp_path / "t.tif", dem=str(path), **options), spots(DESCENDING))
    assert found.max() < (10 if kind == "coarse pixels" else 2)


def test_an_extent_gives_the_same_pixels_as_the_whole(tmp_path, relief, dem):
    east, north = middle(DESCENDING)
    extent = (east - 0.004, north - 0.003, east + 0.009, north + 0.005)
    whole, part = (run(relief, tmp_path / f"{n}.tif", dem=dem, extent=e) for n, e in enumerate((None, extent)))
    with rasterio.open(whole) as one, rasterio.open(part) as other:
        left, top = (round(v) for v in ~one.transform * (other.transform.c, other.transform.f))
        values = other.read(1)
        same = one.read(1)[top : top + other.height, left : left + other.width]
        assert one.transform.c % 10 == 0 and 90 < other.width < 110 and np.isfinite(values).all()
    assert np.allclose(values, same, rtol=0.01)


def test_flat_ground_lies_as_by_the_control_points(tmp_path, relief):
    flat = dem_of(tmp_path / "dem.tif", DESCENDING, lambda values, *_: values * 0)
    with rasterio.open(run(relief, tmp_path / "t.tif", dem=flat)) as one:
        with rasterio.open(run(relief, tmp_path / "g.tif", dem=None)) as other:
            left, top = (round(v) for v in ~other.transform * (one.transform.c, one.transform.f))
            a, b = (
                one.read(1),
                other.read(1, window=((top, top + one.height), (left, left + one.width)), boundless=True),
            )
    both = np.isfinite(a) & np.isfinite(b)
    assert both.sum() > 0.9 * DESCENDING.shape[0] * DESCENDING.shape[1]
    assert np.abs(np.sqrt(a[both]) - np.sqrt(b[both])).max() < 0.02 * np.sqrt(b[both]).max()


def test_pixels_without_heights_are_nodata(tmp_path, relief):
    def half(values, longitude, latitude):
        return np.where(longitude < middle(DESCENDING)[0], values, -9999)

    holes, said = dem_of(tmp_path / "holes.tif", DESCENDING, half, nodata=-9999), Listener()
    with rasterio.open(run(relief, tmp_path / "t.tif", Context(said), dem=holes)) as file:
        values = file.read(1)
        rows, columns = np.nonzero(np.isfinite(values))
        east, _ = transform(file.crs, "EPSG:4326", *file.transform * (columns + 0.5, rows + 0.5))
    assert len(east) > 50_000 and max(east) < middle(DESCENDING)[0]
    (warning,) = [message for message in said.messages if "no heights" in message]
    share = int(warning.split("about ")[1].split("%")[0])
    assert 40 <= share <= 60
    assert any("agree within 0.0 m" in message for message in said.messages)


def test_tags_describe_the_terrain_correction(tmp_path, relief, dem, cli):
    code, _, err = cli("calibrate", relief, tmp_path / "t.tif", "--dem", dem, "--dem-heights", "ellipsoid")
    assert code == 0, err
    with rasterio.open(tmp_path / "t.tif") as file:
        assert file.tags()["SARDINO_TERRAIN_CORRECTION"] == "range-Doppler with dem.tif, heights above the ellipsoid"
        assert np.isfinite(file.read(1)).mean() > 0.3
    assert metres_from(tmp_path / "t.tif", spots(DESCENDING)).max() < 2


def edited(product, target, change):
    """Return a copy of a product with a changed annotation."""

    copy = shutil.copytree(product, target / product.name)
    (path,) = (copy / "annotation").glob("*.xml")
    path.write_text(change(path.read_text()))
    return copy


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda text: text.replace("<orbit>", "<path>").replace("</orbit>", "</path>"), "no usable orbit"),
        (lambda text: text.replace("Earth Fixed", "Quasi Mean"), "no usable orbit"),
        (lambda text: text.replace("coordinateConversionList", "list"), "no usable conversion"),
        (lambda text: text.replace("<orbit><time>2021-04-01", "<orbit><time>2021-04-02"), "times of its lines"),
        (lambda text: text.replace("<orbit><time>2021", "<orbit><time>yesterday"), "is not a time"),
        (lambda text: text.replace("8.50000000", "8.51000000"), "samples apart"),
        (lambda text: text.replace("<sr0>8.50", "<sr0>8.51"), "contradict each other"),
    ],
)
def test_unusable_annotations_are_refused(tmp_path, relief, dem, change, match):
    copy = edited(relief, tmp_path / "in", change)
    with pytest.raises(InputError, match=match):
        run(copy, tmp_path / "o.tif", dem=dem)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    run(copy, tmp_path / "o.tif", dem=None)


def test_cancelled_while_the_map_is_made(tmp_path, relief, dem):
    with pytest.raises(Cancelled):
        run(relief, tmp_path / "o.tif", cancelled_after(601), dem=dem)
    assert not list(tmp_path.iterdir())
