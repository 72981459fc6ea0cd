"""Scenes in radar geometry are placed by all their points, or refused if these are too few."""

from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from backend.core.errors import InputError
from backend.raster.control_points.tie_points import all_points, thinned
from backend.raster.source import RasterSource
from backend.raster.virtual import with_points
from tests.backend.raster.radar_geometry import grid, places, write_snap

HEIGHT, WIDTH = 200, 300
UNPLACED = Affine.identity()


def numbered(bands=2):
    """Rows and columns as values, to be found at their places; above 0, which is nodata."""
    return np.mgrid[1 : HEIGHT + 1, 1 : WIDTH + 1].astype(np.float32)[:bands]


def check_placed(path, km=250.0, epsg=4326):
    """Every tenth pixel lies where it was seen, within a pixel and a half."""
    rows, columns = np.mgrid[10 : HEIGHT - 10 : 10, 10 : WIDTH - 10 : 10]
    x, y = places(rows + 0.5, columns + 0.5, HEIGHT, WIDTH, km)
    with RasterSource(path) as source:
        assert source.grid.crs.to_epsg() == epsg
        values, valid = source.read(0, source.grid.height)
        across, down = ~source.grid.transform * (x, y)
        found = values[:, down.astype(int), across.astype(int)] - 1
        notes = source.notes
    assert 0.5 < valid.mean() < 0.95
    for band, wanted in zip(found, (rows, columns)):
        np.testing.assert_allclose(band, wanted, atol=1.5)
    return " ".join(message for _, message in notes)


def points(down, across, km=250.0):
    return [GroundControlPoint(*place) for place in grid(HEIGHT, WIDTH, down, across, km)]


@pytest.mark.parametrize("bands", [1, 2])
def test_snap_geotiffs_are_placed_by_their_tie_points(tmp_path, bands):
    """With one band some GDALs show the corners as points; else a grid that has nothing to do with them."""
    path = write_snap(tmp_path / "snap.tif", numbered(bands), grid(HEIGHT, WIDTH, 8, 12))
    with rasterio.open(path) as file:
        assert len(file.gcps[0]) in ((0, 4) if bands == 1 else (0,))
    assert "control points (96)" in check_placed(path)


@pytest.mark.parametrize("count", [4, 5])
def test_corners_of_a_wide_scene_are_refused(make_raster, count):
    corners = [*points(2, 2), *points(3, 3)[4:5]][:count]
    path = make_raster(numbered(), crs="EPSG:4326", transform=UNPLACED, gcps=corners)
    with pytest.raises(
        InputError, match=f"radar geometry with {count} ground control points for 2.. x 1.. km"
    ) as refusal:
        RasterSource(path)
    assert "Terrain Correction" in refusal.value.hint


def test_too_few_points_of_a_very_wide_scene_are_refused(make_raster):
    path = make_raster(numbered(), crs="EPSG:4326", transform=UNPLACED, gcps=points(3, 3, km=1000))
    with pytest.raises(InputError, match="radar geometry"):
        RasterSource(path)


@pytest.mark.parametrize("km", [3, 25])
def test_corners_of_a_small_scene_are_enough(make_raster, km):
    path = make_raster(numbered(), crs="EPSG:4326", transform=UNPLACED, gcps=points(2, 2, km=km))
    with RasterSource(path) as source:
        assert source.grid.crs.to_epsg() == 4326


def test_corners_of_a_map_are_enough(make_raster):
    place = from_origin(5e5, 5e6, 1000, 1000)
    corners = [GroundControlPoint(row, col, *(place * (col, row))) for row in (0, HEIGHT) for col in (0, WIDTH)]
    path = make_raster(numbered(), crs="EPSG:32633", transform=UNPLACED, gcps=corners, nodata=0)
    with RasterSource(path) as source:
        assert source.grid.transform.almost_equals(place, 1e-3) and source.grid.crs.to_epsg() == 32633


@pytest.mark.parametrize("down, across", [(4, 5), (8, 12), (90, 90)])
def test_a_grid_of_points_places_a_wide_scene(make_raster, down, across):
    gcps = points(down, across)
    path = make_raster(numbered(), crs="EPSG:4326", transform=UNPLACED, gcps=gcps, nodata=0)
    said = check_placed(path)
    assert ("of which 400, spread over the image, are used" in said) == (len(gcps) > 400)


def test_points_without_a_crs_are_taken_for_degrees(make_raster):
    path = make_raster(numbered(), nodata=0).with_suffix(".vrt")
    with rasterio.open(path.with_suffix(".tif")) as file:
        path.write_text(with_points(file, points(8, 12), None))
    assert "taken for WGS 84" in check_placed(path)


def test_a_point_for_every_pixel_places_the_map(tmp_path):
    """As in netCDF of swaths: longitude and latitude as arrays."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    x, y = places(rows, columns, HEIGHT, WIDTH)
    for name, array in (("x", x), ("y", y)):
        with rasterio.open(tmp_path / f"{name}.tif", "w", "GTiff", WIDTH, HEIGHT, 1, dtype="float64") as file:
            file.write(array, 1)
    path = tmp_path / "swath.tif"
    tags = {
        "X_DATASET": str(tmp_path / "x.tif"), "Y_DATASET": str(tmp_path / "y.tif"), "X_BAND": "1", "Y_BAND": "1",
        "PIXEL_OFFSET": "0", "LINE_OFFSET": "0", "PIXEL_STEP": "1", "LINE_STEP": "1",
        "GEOREFERENCING_CONVENTION": "PIXEL_CENTER",
    }  # fmt: skip
    with rasterio.open(path, "w", "GTiff", WIDTH, HEIGHT, 2, dtype="float32", nodata=0) as file:
        file.write(numbered())
        file.update_tags(ns="GEOLOCATION", **tags)
    assert "control points (400)" in check_placed(path)


def test_thinned_points_keep_the_corners():
    kept = thinned(points(90, 90))
    assert len(kept) == 400
    assert {(0.5, 0.5), (HEIGHT - 0.5, WIDTH - 0.5)} <= {(point.row, point.col) for point in kept}


def test_alpha_and_band_numbers_survive_thinning(make_raster):
    values = np.stack([*numbered(), np.full((HEIGHT, WIDTH), 255, np.float32)])
    values[2, :, :100] = 0
    path = make_raster(values, crs="EPSG:4326", transform=UNPLACED, gcps=points(25, 25))
    with rasterio.open(path, "r+") as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
    with RasterSource(path) as source:
        found, valid = source.read(0, source.grid.height)
    assert len(found) == 2 and found[1][valid].min() >= 99


def test_tie_points_that_agree_with_pixels_change_nothing(tmp_path):
    place = from_origin(10, 45, 1e-4, 1e-4)
    ties = [(row, col, *(place * (col, row))) for row in (0.0, 100.0, 200.0) for col in (0.0, 100.0, 200.0, 300.0)]
    with RasterSource(write_snap(tmp_path / "map.tif", numbered(), ties)) as source:
        assert source.grid.transform.almost_equals(place) and not source.notes


def test_tags_beyond_the_end_of_a_file_are_ignored(tmp_path, make_raster):
    path = make_raster(numbered(), bigtiff="yes")
    content = bytearray(path.read_bytes())
    content[8:16] = b"\xff" * 8  # the directory's place, in a copy that GDAL doesn't open
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(content)
    with rasterio.open(path) as file:
        kept = SimpleNamespace(driver="GTiff", transform=file.transform, name=str(damaged), crs=file.crs)
    assert all_points(kept) == ([], None)
