"""Elevation models are read to their edges, with each height in place; unusable ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from backend.grd.terrain.elevation import Elevation
from tests.support.mountain import DESCENDING, dem_of, middle
from tests.support.safe.orbit import write_dem

UTM = CRS.from_epsg(32632)


@pytest.mark.parametrize(("rows", "columns"), [(12, 12), (10, 15), (9, 12), (3, 2)])
def test_a_finer_model_is_averaged_to_its_far_edges(tmp_path, rows, columns):
    heights = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    path = write_dem(tmp_path / "dem.tif", heights, (500_000, 5_000_000), 10, UTM)
    with Elevation(str(path), 40.0) as elevation:
        assert elevation.shape == (-(-rows // 4), -(-columns // 4))
        found = elevation.read(0, 0, *elevation.shape)
        cells = [[heights[top : top + 4, left : left + 4].mean() for left in range(0, columns, 4)]
                 for top in range(0, rows, 4)]  # fmt: skip
        assert found == pytest.approx(np.array(cells))
        corner = np.array([(500_000 + 10 * columns - 1, 5_000_000 - 10 * rows + 1)], dtype=float)
        top, left, bottom, right = elevation.window(elevation.pixels(UTM, corner))
        assert (bottom, right) == elevation.shape
        assert elevation.read(top, left, bottom, right)[-1, -1] == pytest.approx(cells[-1][-1])
        assert elevation.span((0, 0, *elevation.shape)) == pytest.approx((np.min(cells), np.max(cells)))


def elsewhere(path):
    return write_dem(path, np.ones((50, 50), np.float32), (20.0, 40.0), 0.01)


def bands(path):
    east, north = middle(DESCENDING)
    settings = {"driver": "GTiff", "count": 3, "height": 9, "width": 9, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", **settings, transform=rasterio.Affine(0.1, 0, east - 0.5, 0, -0.1, north + 0.5)) as f:
        f.write(np.ones((3, 9, 9), np.uint8))


def in_units(path):
    dem_of(path, DESCENDING)
    with rasterio.open(path, "r+") as file:
        file.units = ("fathom",)


HOSTILE = {
    "no coordinate system": lambda path: write_dem(path, np.ones((9, 9), np.float32), (0, 9), 1, None),
    "does not reach the product": elsewhere,
    "has no heights there": lambda path: dem_of(path, DESCENDING, lambda v, *_: v * np.nan),
    "are in 'fathom'": in_units,
    "has 3 bands": bands,
    "heights from -32768": lambda path: dem_of(path, DESCENDING, lambda v, x, y: np.where(v > 900, -32768, v)),
    "There is no file": lambda path: None,
    "is not a raster": lambda path: path.write_text("heights"),
}


@pytest.mark.parametrize("match", HOSTILE)
def test_unusable_elevation_models_are_refused(tmp_path, relief, cli, match):
    HOSTILE[match](tmp_path / "dem.tif")
    (tmp_path / "o.tif").write_text("older")
    code, _, err = cli("calibrate", relief, tmp_path / "o.tif", "--dem", tmp_path / "dem.tif", "--overwrite")
    assert code == 1 and match in err and len(err.strip().splitlines()) <= 3
    assert (tmp_path / "o.tif").read_text() == "older"
    assert not [path for path in tmp_path.iterdir() if path.name not in ("o.tif", "dem.tif")]


def test_the_elevation_model_is_not_overwritten(tmp_path, relief, cli):
    dem = dem_of(tmp_path / "dem.tif", DESCENDING)
    before = (tmp_path / "dem.tif").read_bytes()
    code, _, err = cli("calibrate", relief, dem, "--dem", dem, "--overwrite")
    assert code == 1 and "is the input" in err and (tmp_path / "dem.tif").read_bytes() == before


@pytest.mark.parametrize(("west", "step"), [(-180.0, 1.0), (170.0, 0.5), (-190.0, 0.5), (0.0, 1.0)])
def test_elevation_models_at_the_antimeridian(tmp_path, west, step):
    columns = round(360 / step) if step == 1 else 40
    longitude = west + (np.arange(columns) + 0.5) * step
    path = write_dem(tmp_path / "dem.tif", np.tile(longitude.astype(np.float32), (20, 1)), (west, 10.0), step)
    with Elevation(str(path), 10.0) as elevation:
        for x in (179.5, -179.5):
            pixels = elevation.pixels(CRS.from_epsg(4326), np.array([(x, 0.5), (x, 0.6)]))
            top, left, bottom, right = elevation.window(pixels)
            heights = elevation.read(top, left, bottom, right)
            found = heights[0, int(pixels[0, 0]) - left]
            assert abs((found - x + 180) % 360 - 180) <= step
