"""The filter of speckle over time: looks, levels, parts, and the command."""

from __future__ import annotations

import numpy as np
import rasterio

from backend.series import cut
from backend.series.speckle_filter import REACH, LooksMeter, filtered, local_mean

LOOKS, DATES = 4, 8


def gamma(seed, levels, side=160):
    rng = np.random.default_rng(seed)
    return (rng.gamma(LOOKS, 1 / LOOKS, (DATES, side, side)) * levels).astype(np.float32)


def looks_of(plane):
    looks = LooksMeter()
    looks.add(plane)
    return looks.median()


def test_looks_grow_as_the_paper_says_and_levels_stay():
    level = np.linspace(0.02, 0.4, DATES)[:, None, None]
    power = gamma(0, level)
    after = filtered(power)[:, REACH:-REACH, REACH:-REACH]
    assert np.allclose(after.mean(axis=(1, 2)), level[:, 0, 0], rtol=0.03)
    window = (2 * REACH + 1) ** 2
    expected = LOOKS * DATES * window / (DATES + window - 1)
    assert abs(looks_of(power[0]) / LOOKS - 1) < 0.1
    # The local mean varies slowly, so that small blocks see less of it: the looks are at least those of the paper.
    assert 0.9 < looks_of(after[3]) / expected < 1.6


def test_nodata_stays_and_edges_of_one_date_are_kept():
    power = gamma(1, 0.1, 64)
    power[2, :20] = np.nan
    power[5, :, 32:] *= 10
    after = filtered(power)
    assert np.array_equal(np.isfinite(after), np.isfinite(power))
    assert np.nanmean(after[5, :, 40:]) / np.nanmean(after[5, :, :24]) > 8


def test_local_mean_is_that_of_the_window():
    plane = np.random.default_rng(2).gamma(4, 1, (20, 30)).astype(np.float32)
    plane[3:6, 4] = np.nan
    mean = local_mean(plane)
    assert np.isclose(mean[8, 10], np.nanmean(plane[5:12, 7:14]), rtol=1e-5)
    assert np.isclose(mean[4, 4], np.nanmean(plane[1:8, 1:8]), rtol=1e-5)
    assert np.isclose(mean[0, 0], np.nanmean(plane[:4, :4]), rtol=1e-5)


def test_the_command_writes_the_same_dates(cli, make_raster, tmp_path, monkeypatch):
    levels = np.array([0.1, 0.02])[:, None, None]
    paths, power = [], []
    for date in range(3):
        values = np.stack([gamma(10 * date + band, 1, 50)[0] for band in (0, 1)]) * levels
        power.append(values)
        paths.append(make_raster(values.astype(np.float32), f"S1_2021010{date + 1}.tif", nodata=np.nan))
    assert cli("composite", tmp_path / "a.tif", *paths, "--filter", "--output-units", "linear_power")[0] == 0
    monkeypatch.setattr(cut, "OUT", 6 * 50 * 4 * 9)
    monkeypatch.setattr(cut, "COLUMNS", 16)
    code, _, err = cli("composite", tmp_path / "b.tif", *paths, "--filter", "--output-units", "linear_power")
    assert code == 0 and "Equivalent number of looks" in err
    with rasterio.open(tmp_path / "a.tif") as file, rasterio.open(tmp_path / "b.tif") as other:
        assert file.descriptions[:3] == ("VV_2021-01-01", "VH_2021-01-01", "VV_2021-01-02") and file.count == 6
        values = file.read()
        assert np.array_equal(values, other.read())
    wanted = filtered(np.stack(power)[:, 0].astype(np.float32))
    assert np.allclose(values[::2], wanted, rtol=1e-5)
