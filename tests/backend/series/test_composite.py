"""`composite` against plain numpy: statistics, periods, units, grids, and what landcover makes of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.series import cut

SIZE = 70
ORIGIN = Affine(10, 0, 500000, 0, -10, 4_600_000)


def read(path):
    with rasterio.open(path) as file:
        return dict(zip(file.descriptions, file.read())), file.tags()


def power_of(db):
    return 10 ** (db.astype(np.float64) / 10)


@pytest.fixture
def dates(scene_db, make_raster):
    """Four dates of one grid, in several units and forms, and their power [4, 2, H, W], NaN where invalid."""
    db = np.stack([scene_db(SIZE, SIZE, seed) for seed in range(4)])
    db[1, :, :9], db[2, :, 5:20, 30:] = np.nan, np.nan
    power = power_of(db)
    amplitude = np.sqrt(power[2]).astype(np.float32)
    paths = [
        make_raster(db[0], "S1_20210105.tif", nodata=np.nan),
        make_raster(power[1].astype(np.float32), "S1_20210214.tif", nodata=np.nan),
        make_raster(amplitude, "S1_20210220.tif", nodata=np.nan),
        make_raster(
            db[3, ::-1], "S1_20210705.tif", ("VH", "VV"), nodata=np.nan, tiled=True, blockxsize=32, blockysize=32
        ),
    ]
    return paths, power


def expected(power):
    db = 10 * np.log10(power)
    with np.errstate(all="ignore"):
        return {
            "mean": 10 * np.log10(np.nanmean(power, axis=0)),
            "median": 10 * np.log10(np.nanmedian(power, axis=0)),
            "min": np.nanmin(db, axis=0),
            "max": np.nanmax(db, axis=0),
            "std": np.nanstd(db, axis=0, ddof=1),
        }


@pytest.mark.parametrize("small_parts", [False, True], ids=["whole", "in parts"])
def test_statistics_are_those_of_numpy(cli, dates, tmp_path, monkeypatch, small_parts):
    paths, power = dates
    if small_parts:
        monkeypatch.setattr(cut, "STACK", 4 * 2 * 4 * SIZE * 7)
    names = ("mean", "median", "min", "max", "std", "count")
    code, _, err = cli("composite", tmp_path / "o.tif", *paths, "--statistics", *names)
    assert code == 0, err
    bands, tags = read(tmp_path / "o.tif")
    assert list(bands) == [*(f"{band}_{name}" for name in names[:-1] for band in ("VV", "VH")), "count"]
    for name, values in expected(power).items():
        for band, wanted in zip(("VV", "VH"), values):
            assert np.allclose(bands[f"{band}_{name}"], wanted, atol=2e-3, equal_nan=True), name
    assert np.array_equal(bands["count"], np.isfinite(power[:, 0]).sum(axis=0))
    assert tags["SARDINO_DATES"] == "2021-01-05,2021-02-14,2021-02-20,2021-07-05"
    assert (tags["SARDINO_ACQUIRED"], tags["SARDINO_ACQUIRED_END"]) == ("2021-01-05", "2021-07-05")
    assert tags["SARDINO_UNITS"] == "db"


def test_months_and_seasons(cli, dates, tmp_path):
    paths, power = dates
    assert cli("composite", tmp_path / "m.tif", *paths, "--period", "month", "--output-units", "linear_power")[0] == 0
    bands, tags = read(tmp_path / "m.tif")
    assert list(bands)[::2] == ["VV_mean_2021-01", "VV_mean_2021-02", "VV_mean_2021-07"]
    wanted = power[1:3, 1][:, 20:, :30].mean(axis=0)
    assert np.allclose(bands["VH_mean_2021-02"][20:, :30], wanted, rtol=1e-4)
    assert tags["SARDINO_DATES_2021-02"] == "2021-02-14,2021-02-20"
    assert cli("composite", tmp_path / "s.tif", *paths, "--period", "season")[0] == 0
    assert list(read(tmp_path / "s.tif")[0]) == [
        "VV_mean_winter_2021", "VH_mean_winter_2021", "VV_mean_summer_2021", "VH_mean_summer_2021"
    ]  # fmt: skip


def test_landcover_takes_a_composite_as_it_is(cli, dates, tiny_model, tmp_path):
    paths, power = dates
    statistics = ("--statistics", "mean", "median", "min", "max", "std", "count")
    assert cli("composite", tmp_path / "o.tif", *paths, *statistics)[0] == 0
    code, out, err = cli(
        "landcover",
        tmp_path / "o.tif",
        tmp_path / "map.tif",
        "--model",
        tiny_model,
        "--device",
        "cpu",
        "--progress",
        "json",
    )
    assert code == 0, err
    messages = [json.loads(line).get("message", "") for line in out.splitlines()]
    assert "Bands by their descriptions: VV = band 1, VH = band 2." in messages
    classes, tags = read(tmp_path / "map.tif")
    assert (classes["land cover"] > 0).all()
    assert (tags["SARDINO_ACQUIRED"], tags["SARDINO_ACQUIRED_END"]) == ("2021-01-05", "2021-07-05")


def test_other_grids_are_warped_in_power_and_extended(cli, scene_db, make_raster, tmp_path):
    level = np.full((2, 60, 60), -10.0, np.float32) + np.array([0, -7], np.float32)[:, None, None]
    speckle = level + scene_db(60, 60) * 0.01
    first = make_raster(speckle, "A_20210101.tif", transform=ORIGIN)
    moved = make_raster(speckle, "B_20210102.tif", transform=ORIGIN * Affine.translation(-20, 10))
    # Rows of twice the power less a tenth, and of a tenth of it: their mean is that of the others in power, not in dB.
    stripes = np.where(np.arange(120) % 2, 10 * np.log10(1.9), 10 * np.log10(0.1)).astype(np.float32)[:, None]
    finer = np.repeat(np.repeat(speckle, 2, 1), 2, 2) + stripes
    finer = make_raster(finer, "C_20210103.tif", transform=ORIGIN * Affine.scale(0.5))
    with rasterio.open(first) as file:
        bounds = rasterio.warp.transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    width = (bounds[2] - bounds[0]) / 80
    degrees = make_raster(
        level[:, :1, :1] + scene_db(80, 80) * 0.01, "D_20210104.tif", crs="EPSG:4326",
        transform=Affine(width, 0, bounds[0], 0, -(bounds[3] - bounds[1]) / 80, bounds[3]),
    )  # fmt: skip
    code, out, err = cli(
        "composite",
        tmp_path / "o.tif",
        first,
        moved,
        finer,
        degrees,
        "--statistics",
        "mean",
        "count",
        "--progress",
        "json",
    )
    assert code == 0, err
    messages = " ".join(json.loads(line).get("message", "") for line in out.splitlines())
    assert "2 of 4 lie on another grid than A_20210101.tif; they are warped to it in linear power" in messages
    with rasterio.open(tmp_path / "o.tif") as file:
        # The first grid, 20 columns to the left and 10 rows down; warped rasters reach a pixel beyond it at most.
        assert file.transform.almost_equals(ORIGIN * Affine.translation(-20, 0), 11)
        assert abs(file.width - 80) <= 2 and abs(file.height - 70) <= 2
        mean, count = file.read(1), file.read(3)
        inner = file.index(*(ORIGIN * (30, 30)))
    assert abs(mean[inner] + 10) < 0.4 and count[inner] == 4 and count.max() == 4


def test_two_levels_are_averaged_in_power(cli, scene_db, make_raster, tmp_path):
    speckle = np.array([-10, -17], np.float32)[:, None, None] + scene_db(60, 60) * 0.01
    bright, dark = (make_raster(speckle + add, f"{add}_2021020{n}.tif") for n, add in ((1, 0), (2, -9)))
    assert cli("composite", tmp_path / "two.tif", bright, dark)[0] == 0
    assert abs(np.nanmean(read(tmp_path / "two.tif")[0]["VV_mean"]) - 10 * np.log10((0.1 + 0.1 * 10**-0.9) / 2)) < 0.3


def test_polarisations_in_separate_files_and_dates_in_one_file(cli, scene_db, make_raster, tmp_path):
    db = [scene_db(40, 40, seed) for seed in range(2)]
    single = [
        make_raster(values[band][None], f"S1_{name}_2021010{n}.tif", ())
        for n, values in enumerate(db, 1)
        for band, name in enumerate(("VV", "VH"))
    ]
    stack = make_raster(
        np.concatenate(db), "stack.tif", ("VV_2021-01-01", "VH_2021-01-01", "VV_2021-01-02", "VH_2021-01-02")
    )
    assert cli("composite", tmp_path / "a.tif", *single)[0] == 0
    assert cli("composite", tmp_path / "b.tif", stack)[0] == 0
    (one, tags), (other, same) = read(tmp_path / "a.tif"), read(tmp_path / "b.tif")
    assert tags["SARDINO_DATES"] == same["SARDINO_DATES"] == "2021-01-01,2021-01-02"
    assert all(np.array_equal(one[name], other[name]) for name in ("VV_mean", "VH_mean"))


def test_refusals(cli, scene_db, make_raster, tmp_path):
    db = scene_db(40, 40)
    plain, dated = make_raster(db, "plain.tif"), make_raster(db, "S1_20210101.tif")
    single = make_raster(db[:1], "S1_VV_20210105.tif", ())
    unnamed = make_raster(db[:1], "thing_20210106.tif", ())
    away = make_raster(db, "S1_20210102.tif", transform=ORIGIN * Affine.translation(5000, 0))
    nowhere = make_raster(db[:, :30], "S1_20210103.tif", crs=None)
    for arguments, words in (
        ((plain, dated, "--period", "month"), "unknown of plain.tif"),
        ((dated, single), "other polarisations: VV and VH in S1_20210101.tif; VV in S1_VV_20210105.tif"),
        ((dated, unnamed), "thing_20210106.tif has one band"),
        ((dated, away), "doesn't overlap"),
        ((dated, nowhere), "no coordinate system"),
        ((dated, "--filter", "--period", "month"), "the dates themselves"),
        ((dated, dated), "named twice"),
    ):
        code, _, err = cli("composite", tmp_path / "o.tif", *arguments)
        assert code == 1 and words in err, err
        assert not (tmp_path / "o.tif").exists()
