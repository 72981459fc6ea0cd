"""Rasters that have only ground control points."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin
from rasterio.warp import transform as transform_points

from backend.core.errors import InputError
from backend.raster.source import RasterSource

NAMES = ("VV", "VH")


@pytest.fixture
def gcp_scene(tmp_path):
    """Write a slightly rotated scene, 60 x 80 pixels of 0.0001 degrees, with ground control points and no transform."""
    to_lonlat = rasterio.Affine(1e-4, 1e-5, 20.0, -1e-5, -1e-4, 45.0)
    points = [
        GroundControlPoint(row=row, col=col, x=(to_lonlat * (col, row))[0], y=(to_lonlat * (col, row))[1])
        for row in (0, 30, 60)
        for col in (0, 40, 80)
    ]
    path = tmp_path / "gcp.tif"
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": 60, "width": 80}
    with rasterio.open(path, "w", gcps=points, crs="EPSG:4326", **profile) as file:
        file.write(np.full((2, 60, 80), -12, dtype=np.float32))
    return path


def test_control_points_give_a_grid_with_nodata_around_it(gcp_scene):
    with RasterSource(gcp_scene, names=NAMES) as source:
        grid = source.grid
        assert grid.crs.to_epsg() == 4326
        assert grid.bounds()[0] == pytest.approx(20.0, abs=1e-3)
        assert any("control points" in message for _, message in source.notes)
        values, valid = source.read(0, grid.height)
    assert 0.7 < valid.mean() < 0.99
    assert (values[:, valid] == -12).all()


@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_control_points_with_an_alpha_band(gcp_scene, tmp_path, nodata):
    with rasterio.open(gcp_scene) as plain:
        points, crs = plain.gcps
        profile = {**plain.profile, "count": 3, "nodata": nodata, "transform": None}
    path = tmp_path / "alpha.tif"
    with rasterio.open(path, "w", gcps=points, crs=crs, **{k: v for k, v in profile.items() if k != "crs"}) as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
        file.write(np.full((2, 60, 80), -12, dtype=np.float32), [1, 2])
        alpha = np.full((60, 80), 255, dtype=np.float32)
        alpha[:, :20] = 0
        file.write(alpha, 3)
    with RasterSource(path, names=NAMES) as source:
        values, valid = source.read(0, source.grid.height)
    assert source.bands == (1, 2)
    assert 0.5 < valid.mean() < 0.8
    assert (values[:, valid] == -12).all()


def test_control_points_that_give_no_grid_are_refused(tmp_path):
    path = tmp_path / "gcp.tif"
    same = [GroundControlPoint(row=5, col=5, x=20, y=45)] * 4
    with rasterio.open(path, "w", "GTiff", 80, 60, 2, "EPSG:4326", None, "float32", gcps=same) as file:
        file.write(np.full((2, 60, 80), -12, dtype=np.float32))
    with pytest.raises(InputError, match="control points") as refusal:
        RasterSource(path, names=NAMES)
    assert refusal.value.hint


def test_control_points_across_the_antimeridian(make_raster, scene_db):
    db = scene_db(60, 80)
    crs = "EPSG:32760"
    (east,), (north,) = transform_points("EPSG:4326", crs, [180.0], [-18.0])
    place = from_origin(east - 400, north + 300, 10, 10)
    points = []
    for row in (0, 20, 40, 60):
        for column in (0, 40, 80):
            (x,), (y,) = transform_points(crs, "EPSG:4326", *([v] for v in place * (column, row)))
            points.append(GroundControlPoint(row, column, (x + 180) % 360 - 180, y))
    assert min(p.x for p in points) < -179 and max(p.x for p in points) > 179
    path = make_raster(db, crs="EPSG:4326", transform=Affine.identity(), gcps=points, nodata=-99)
    with RasterSource(path, names=NAMES) as source:
        assert source.grid.width < 200 and source.grid.height < 200
        assert 179 < source.grid.bounds()[0] < 181
        assert all(8 < metre < 14 for metre in source.pixel_metres)
        values, valid = source.read(0, source.grid.height)
    assert valid.mean() > 0.7 and np.isclose(values[0][valid].mean(), db[0].mean(), atol=0.3)


def test_many_control_points_are_interpolated_exactly(make_raster):
    """As in a product over hills, where a second-order polynomial misses the points by several pixels."""
    rows, columns = np.mgrid[0:201:20, 0:201:20]
    x, y = 20 + 1e-4 * (columns + 6 * np.sin(rows / 12)), 45 - 1e-4 * (rows + 6 * np.cos(columns / 14))
    points = [GroundControlPoint(*place) for place in zip(rows.ravel(), columns.ravel(), x.ravel(), y.ravel())]
    values = np.mgrid[0:200, 0:200].astype(np.float32)
    path = make_raster(values, crs="EPSG:4326", transform=Affine.identity(), gcps=points, nodata=-99)
    with RasterSource(path) as source:
        found, _ = source.read(0, source.grid.height)
        inner = (slice(2, -2), slice(2, -2))
        across, down = ~source.grid.transform * (x[inner], y[inner])
        picked = found[:, down.astype(int), across.astype(int)]
    np.testing.assert_allclose(picked, np.stack((rows[inner], columns[inner])), atol=1.5)
