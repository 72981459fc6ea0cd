"""Tiles of one raster are put together; files of different dates never are."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.core.errors import InputError
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.raster.source import RasterSource
from backend.raster.virtual import scene_files

NAMES = ("VV", "VH")


def place(row, column):
    return from_origin(500_000 + 10 * column, 4_600_000 - 10 * row, 10, 10)


@pytest.fixture
def cut(make_raster, tmp_path):
    """Write parts (top, bottom, left, right) of an array as files."""

    def write(values, parts, bands=NAMES, **profile):
        made = []
        for name, (top, bottom, left, right) in parts.items():
            part = values[:, top:bottom, left:right]
            (tmp_path / name).parent.mkdir(exist_ok=True)
            made.append(str(make_raster(part, name, bands, transform=place(top, left), **profile)))
        return made

    return write


QUARTERS = {
    "S1-0000000000-0000000000.tif": (0, 40, 0, 50),
    "S1-0000000000-0000000050.tif": (0, 40, 50, 90),
    "S1-0000000040-0000000000.tif": (40, 70, 0, 50),
    "S1-0000000040-0000000050.tif": (40, 70, 50, 90),
}


def test_tiles_of_an_export_are_mapped_as_one_raster(cut, make_raster, scene_db, tiny_model, tmp_path):
    db = scene_db(70, 90)
    cut(db, QUARTERS)
    whole = make_raster(db, "whole.tif")
    maps = []
    for scene in (whole, tmp_path / "S1-*.tif"):
        landcover(Request(str(scene), tmp_path / "out.tif", tiny_model, device="cpu", overwrite=True))
        with rasterio.open(tmp_path / "out.tif") as file:
            assert file.transform.almost_equals(place(0, 0))
            maps.append(file.read(1))
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("order", [1, -1])
def test_tiles_are_said_to_be_put_together_in_any_order(cut, scene_db, order):
    db = scene_db(70, 90)
    with RasterSource(cut(db, QUARTERS)[::order], names=NAMES) as source:
        values, valid = source.read(0, 70)
        assert "4 files are tiles of one raster and are put together (90 x 70 pixels)" in source.notes[0][1]
    assert valid.all() and np.array_equal(values, db)


def test_overlaps_and_holes_of_tiles_are_no_data_where_none_has(cut, scene_db):
    db = scene_db(70, 90)
    parts = {"a_1.tif": (0, 70, 0, 50), "a_2.tif": (0, 40, 40, 90)}
    db[:, :10, 45:60] = np.nan
    first, second = cut(db, parts)
    with rasterio.open(second, "r+") as file:
        file.write(np.full((2, 40, 5), np.nan, np.float32), window=((0, 40), (0, 5)))
    with RasterSource([first, second], names=NAMES) as source:
        values, valid = source.read(0, 70)
    expected = np.isfinite(db[0])
    expected[40:, 50:] = False
    np.testing.assert_array_equal(valid, expected)
    np.testing.assert_array_equal(values[:, valid], db[:, expected])


def test_tiles_of_scaled_numbers_keep_nodata_and_scale(cut, scene_db):
    db = (scene_db(70, 90) * 100).astype(np.int16)
    db[:, 20:30, 45:55] = -32768
    made = cut(db, QUARTERS, nodata=-32768)
    for name in made:
        with rasterio.open(name, "r+") as file:
            file.scales = [0.01, 0.01]
    with RasterSource(made, names=NAMES) as source:
        values, valid = source.read(0, 70)
    np.testing.assert_array_equal(valid, db[0] != -32768)
    np.testing.assert_allclose(values[:, valid], db[:, valid] / 100, rtol=1e-5)


def test_tiles_may_have_different_nodata_values(cut, scene_db):
    db = scene_db(40, 90)
    first, second = db.copy(), db.copy()
    first[:, :, 45:50], second[:, :, 50:55] = -9999, -1234
    files = cut(first, {"S1-0000000000-0000000000.tif": (0, 40, 0, 50)}, nodata=-9999)
    files += cut(second, {"S1-0000000000-0000000050.tif": (0, 40, 50, 90)}, nodata=-1234)
    with RasterSource(files, names=NAMES) as source:
        values, valid = source.read(0, 40)
    assert not valid[:, 45:55].any() and valid[:, :45].all() and valid[:, 55:].all()
    np.testing.assert_array_equal(values[:, valid], db[:, valid])


def test_tiles_of_each_polarisation_are_joined_and_stacked(cut, scene_db, tmp_path):
    db = scene_db(70, 90)
    for band, name in enumerate(NAMES):
        parts = {f"x_{name}_{n}.tif": part for n, part in enumerate(QUARTERS.values())}
        cut(db[band : band + 1], parts, ())
    with RasterSource(scene_files(str(tmp_path / "x_*.tif")), names=NAMES) as source:
        values, valid = source.read(0, 70)
    assert valid.all() and np.array_equal(values, db)


@pytest.mark.parametrize(
    "names, text",
    [
        (("S1_20240101.tif", "S1_20240113.tif"), "different dates"),
        (("S1_2024-01-01.tif", "S1_2024-01-13.tif"), "different dates"),
        (("S1_2024001.tif", "S1_2024013.tif"), "different dates"),
        (("S1_2023.tif", "S1_2024.tif"), "different dates"),
        (("S1_winter.tif", "S1_summer.tif"), "differ in 'summer'|differ in 'winter'"),
        (("20240101/a.tif", "20240113/a.tif"), "different dates"),
        (("before.tif", "after.tif"), "may be of different dates"),
    ],
)
def test_dates_are_never_put_together(cut, scene_db, names, text):
    made = cut(scene_db(70, 90), dict(zip(names, [(0, 70, 0, 50), (0, 70, 50, 90)])))
    with pytest.raises(InputError, match=text) as refusal:
        RasterSource(made, names=NAMES)
    assert "gdalbuildvrt" in refusal.value.hint and "Build Virtual Raster" in refusal.value.hint


@pytest.mark.parametrize(
    "names",
    [
        ("S1_20240101T052012_A1.tif", "S1_20240101T052037_B2.tif"),
        ("tile_0_0.tif", "tile_0_2048.tif"),
        ("S1_N52E009.tif", "S1_N52E010.tif"),
        ("s1_west.tif", "s1_east.tif"),
        ("T32UNE.tif", "T32UPE.tif"),
    ],
)
def test_names_of_tiles_are_understood(cut, scene_db, names):
    db = scene_db(70, 90)
    with RasterSource(cut(db, dict(zip(names, [(0, 70, 0, 50), (0, 70, 50, 90)]))), names=NAMES) as source:
        assert (source.grid.width, source.grid.height) == (90, 70)


@pytest.mark.parametrize(
    "parts, text",
    [
        ([(0, 70, 0, 60), (0, 70, 10, 90)], "lie on each other"),
        ([(0, 70, 0, 30), (0, 70, 60, 90)], "doesn't touch"),
    ],
)
def test_files_that_may_be_no_tiles_are_refused(cut, scene_db, parts, text):
    made = cut(scene_db(70, 90), dict(zip(("t_1.tif", "t_2.tif"), parts)))
    with pytest.raises(InputError, match=text):
        RasterSource(made, names=NAMES)


def test_tiles_off_one_grid_are_refused_with_what_joins_them(cut, scene_db, make_raster):
    db = scene_db(70, 90)
    first, second = cut(db, {"t_1.tif": (0, 70, 0, 50), "t_2.tif": (0, 70, 50, 90)})
    with rasterio.open(second, "r+") as file:
        file.transform = from_origin(500_504, 4_600_000, 10, 10)
    with pytest.raises(InputError, match="don't line up") as refusal:
        RasterSource([first, second], names=NAMES)
    assert "gdalwarp" in refusal.value.hint


def test_gaps_between_whole_numbers_without_nodata_are_refused(cut, scene_db):
    values = (scene_db(70, 90) * 100).astype(np.int16)
    made = cut(values, {"t_1.tif": (0, 70, 0, 50), "t_2.tif": (0, 40, 50, 90)})
    with pytest.raises(InputError, match="leave a gap") as refusal:
        RasterSource(made, names=NAMES)
    assert "nodata" in refusal.value.hint
