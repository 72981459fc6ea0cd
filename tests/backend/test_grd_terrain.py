"""Terrain correction: bright points on a simulated mountain, imaged by an orbit, land where they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform

from backend.cancel import Cancel
from backend.errors import Cancelled, InputError
from backend.grd.command import calibrate
from backend.grd.elevation import Elevation
from backend.grd.geoid import undulation
from backend.grd.imaging import TOLERANCE, Imaging, earth_fixed
from backend.grd.passes import CalibrateRequest
from backend.grd.safe import open_product
from backend.report import Reporter
from tests.backend.make_orbit import Imaged, geocentric, seen, write_dem
from tests.backend.make_safe import make_safe

DESCENDING = Imaged()
ASCENDING_SOUTH = Imaged(longitude=2.5, argument=math.radians(-33.0), near=880_000.0, height=120.0)
# Height of EGM96 above the ellipsoid in the middle of the first scene, by PROJ.
GEOID = 48.0


def middle(geometry):
    (place,) = geometry.ground([geometry.shape[0] / 2], [geometry.shape[1] / 2]).T
    return place


def mountain(geometry, longitude, latitude, peak=1500.0):
    """Ellipsoidal height: 200 m, and a mountain towards the radar's far side, so that its top stays in the image."""
    east, north = middle(geometry) if not callable(geometry) else geometry()
    x = (longitude - east) * 111_320 * np.cos(np.radians(north))
    y = (latitude - north) * 111_320
    return 200 + peak * np.exp(-(x**2 + y**2) / (2 * 1900.0**2))


def points(geometry):
    """Longitude and latitude of a cross over the mountain."""
    east, north = middle(geometry)
    return np.array([(east + dx, north + dy) for dx, dy in
                     ((0, 0), (0.008, 0.003), (-0.009, 0.001), (0.002, 0.009), (-0.001, -0.01), (0.013, -0.006))])  # fmt: skip


def product_of(folder, geometry, **changes):
    """A product that shows the points as bright spots of about a sample, on the mountain."""
    places = points(geometry)
    spots = [geometry.image(x, y, mountain(geometry, x, y)) for x, y in places]

    def numbers(line, sample):
        values = np.full(line.shape, 60.0)
        for at, over in spots:
            values += 9000 * np.exp(-((line - at) ** 2 + (sample - over) ** 2) / 2)
        return values

    return make_safe(folder, seen(geometry, numbers=numbers, **changes))


def dem_of(folder, geometry, minus=0.0, step=1 / 3600, reach=0.2, name="dem.tif", **profile):
    east, north = middle(geometry)
    count = round(2 * reach / step)
    across = east - reach + (np.arange(count) + 0.5) * step
    down = north + reach - (np.arange(count) + 0.5) * step
    heights = (mountain(geometry, across[None], down[:, None]) - minus).astype(np.float32)
    return write_dem(folder / name, heights, east - reach, north + reach, step, **profile)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Folder of a product, and an elevation model with heights above the ellipsoid."""
    folder = tmp_path_factory.mktemp("terrain")
    return product_of(folder, DESCENDING), dem_of(folder, DESCENDING)


def run(product, target, **options):
    options.setdefault("dem_heights", "ellipsoid")
    calibrate(CalibrateRequest(str(product), target, quantity="sigma0", overwrite=True, **options))
    return target


def misses(path, geometry):
    """Metres from where points are to the middle of the power around the brightest pixel within 3 km of it."""
    with rasterio.open(path) as file:
        power, place, crs = np.nan_to_num(file.read(1)), file.transform, file.crs
    x, y = (np.array(v) for v in transform("EPSG:4326", crs, *points(geometry).T))
    found = []
    spots = power.copy()
    for east, north in zip(x, y):
        column, row = (int(v) for v in ~place * (east, north))
        reach = 4 if 0 <= row < len(power) and power[row - 2 : row + 3, column - 2 : column + 3].max() > 10 else 300
        top, left = max(row - reach, 0), max(column - reach, 0)
        part = spots[top : row + reach + 1, left : column + reach + 1]
        at, over = (int(v) for v in np.unravel_index(part.argmax(), part.shape))
        rows, columns = np.mgrid[max(at - 4, 0) : at + 5, max(over - 4, 0) : over + 5]
        rows, columns = (v[: part.shape[0], : part.shape[1]] for v in (rows, columns))
        weight = np.nan_to_num(part[max(at - 4, 0) : at + 5, max(over - 4, 0) : over + 5])
        rows, columns = rows[: len(weight), : weight.shape[1]], columns[: len(weight), : weight.shape[1]]
        dy, dx = (float((v * weight).sum() / weight.sum()) for v in (rows, columns))
        found.append(math.dist(place * (left + dx + 0.5, top + dy + 0.5), (east, north)))
    return np.array(found)


@pytest.mark.parametrize("geometry", [DESCENDING, ASCENDING_SOUTH], ids=["descending", "ascending, south"])
def test_points_on_a_mountain_land_within_a_pixel(tmp_path, geometry):
    product = product_of(tmp_path, geometry)
    with_dem = misses(run(product, tmp_path / "t.tif", dem=str(dem_of(tmp_path, geometry))), geometry)
    without = misses(run(product, tmp_path / "g.tif"), geometry)
    print(with_dem, without)
    assert with_dem.max() < 5 and without.min() > 300 and without[0] > 1500
