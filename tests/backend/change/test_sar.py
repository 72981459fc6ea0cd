"""Test `change --from sar`: outputs, grids, units, refusals, cancel; strips join without a seam."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.change import sar_rows
from backend.core.errors import Cancelled
from tests.support.backend.listener import cancelled_after


@pytest.fixture
def pair(dates, make_raster):
    """Write two dates in dB, of which a field darkened; returns their paths."""
    later = dates[1].copy()
    later[:, 100:140, 200:260] /= 5
    both = [10 * np.log10(date).astype(np.float32) for date in (dates[0], later)]
    both[0][:, :5] = np.nan
    return [make_raster(db, f"{name}.tif") for db, name in zip(both, ("before", "after"))]


def read(path):
    with rasterio.open(path) as file:
        return file.read()


def test_a_darkened_field_is_found_and_outputs_say_what_they_are(pair, tmp_path, cli):
    target = tmp_path / "c.tif"
    more = ["--decibels", tmp_path / "db.tif", "--p-value", tmp_path / "p.tif", "--report", tmp_path / "r.html",
            "--json", tmp_path / "r.json", "--csv", tmp_path / "r.csv"]  # fmt: skip
    code, out, err = cli("change", *pair, target, "--from", "sar", *more, "--progress", "json")
    assert code == 0, err
    event = json.loads(out.splitlines()[-1])
    assert event["polarisations"] == ["VV", "VH"] and set(event["outputs"]) == {
        "output", "decibels", "p_value", "report", "json", "csv"}  # fmt: skip
    outcome, decibels, p = read(target)[0], read(tmp_path / "db.tif"), read(tmp_path / "p.tif")[0]
    assert (outcome[105:135, 205:255] == sar_rows.DARKER).all() and (outcome[:5] == 0).all()
    elsewhere = np.concatenate((outcome[10:90].ravel(), outcome[150:].ravel()))
    assert 0.001 < np.mean(elsewhere != sar_rows.SAME) < 0.02
    assert decibels[:, 110:130, 210:250].mean() == pytest.approx(-7, abs=0.5) and np.isnan(decibels[:, :5]).all()
    assert np.median(p[110:130, 210:250]) < 1e-6 and 0.3 < np.nanmedian(p) < 0.7
    with rasterio.open(tmp_path / "db.tif") as file:
        assert file.descriptions == ("change of VV [dB]", "change of VH [dB]")
    assert "Backscatter fell" in (tmp_path / "c.qml").read_text()
    assert json.loads((tmp_path / "r.json").read_text())["looks"]["VV"]["pixel"] == pytest.approx(4, rel=0.1)
    assert (tmp_path / "r.html").read_text().count("data:image/png") == 3
    assert "Backscatter fell" in (tmp_path / "r.csv").read_text()


def test_strips_join_without_a_seam(pair, tmp_path, cli, monkeypatch):
    outputs = [tmp_path / name for name in ("one.tif", "two.tif")]
    for path, pixels in zip(outputs, (2**24, 320 * 17)):
        monkeypatch.setattr(sar_rows, "STRIP_PIXELS", pixels)
        code, _, err = cli("change", *pair, path, "--from", "sar", "--p-value", path.with_name(f"p_{path.name}"),
                           "--progress", "none")  # fmt: skip
        assert code == 0, err
    assert np.array_equal(*map(read, outputs))
    first, second = (read(path.with_name(f"p_{path.name}")) for path in outputs)
    assert np.allclose(first, second, rtol=1e-3, atol=1e-7, equal_nan=True)


def test_units_may_differ_and_the_later_grid_may_begin_elsewhere(pair, dates, make_raster, tmp_path, cli):
    assert cli("change", *pair, tmp_path / "a.tif", "--from", "sar", "--progress", "none")[0] == 0
    db = read(pair[1])
    power = np.power(10, db / 10)[:, 40:, 30:]
    moved = make_raster(power, "moved.tif", transform=from_origin(500_300, 4_599_600, 10, 10))
    code, _, err = cli("change", pair[0], moved, tmp_path / "b.tif", "--from", "sar", "--progress", "bar")
    assert code == 0 and "another grid" in err
    whole, part = read(tmp_path / "a.tif")[0], read(tmp_path / "b.tif")[0]
    assert (part[:40] == 0).all() and (part[:, :30] == 0).all()
    assert (whole[110:130, 210:250] == part[110:130, 210:250]).all()


def test_files_of_one_polarisation_each_and_a_single_band(pair, make_raster, tmp_path, cli):
    names = {}
    for when, path in zip(("before", "after"), pair):
        for band, pol in enumerate(("VV", "VH")):
            names[when, pol] = make_raster(read(path)[band : band + 1], f"{when}_{pol}.tif", descriptions=(pol,))
    both = ["--before-with", names["before", "VH"], "--after-with", names["after", "VH"]]
    code, _, err = cli("change", names["before", "VV"], names["after", "VV"], tmp_path / "two.tif", *both,
                       "--from", "sar", "--progress", "none")  # fmt: skip
    assert code == 0, err
    assert cli("change", *pair, tmp_path / "one.tif", "--from", "sar", "--progress", "none")[0] == 0
    assert np.array_equal(read(tmp_path / "one.tif"), read(tmp_path / "two.tif"))
    bare = [make_raster(read(path)[:1], f"bare_{path.name}", descriptions=()) for path in pair]
    code, out, err = cli("change", *bare, tmp_path / "vv.tif", "--from", "sar", "--progress", "json")
    assert code == 0 and json.loads(out.splitlines()[-1])["polarisations"] == ["VV"], err


REFUSALS = {
    "even window": (["--window", "8"], "odd number"),
    "level": (["--level", "0.7"], "level is 0.7"),
    "option of maps": (["--ignore", "1"], "--ignore has an effect on maps of classes only"),
    "looks": (["--looks", "0"], "looks are 0"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_say_why_and_leave_nothing(pair, tmp_path, cli, kind):
    words, match = REFUSALS[kind]
    there = sorted(path.name for path in tmp_path.iterdir())
    code, _, err = cli("change", *pair, tmp_path / "o.tif", "--from", "sar", *words, "--progress", "none")
    assert code == 1 and match in err and " hint: " in err
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_rasters_that_do_not_fit_together_are_refused(pair, make_raster, tmp_path, cli):
    db = read(pair[1])
    coarse = make_raster(db[:, ::2, ::2], "coarse.tif", transform=from_origin(500_000, 4_600_000, 20, 20))
    away = make_raster(db, "away.tif", transform=from_origin(900_000, 4_600_000, 10, 10))
    crossed = make_raster(db, "hh.tif", descriptions=("HH", "HV"))
    classes = make_raster(np.ones((1, 320, 320), np.uint8), "classes.tif", descriptions=())
    for later, match in ((coarse, "pixel sizes differ"), (away, "does not overlap"), (crossed, "in common"),
                         (pair[0], "same values"), (classes, "")):  # fmt: skip
        code, _, err = cli("change", pair[0], later, tmp_path / "o.tif", "--from", "sar", "--progress", "none")
        assert code == 1 and match in err, err
    assert not (tmp_path / "o.tif").exists()


def test_a_cancelled_run_leaves_nothing(pair, tmp_path, monkeypatch):
    from backend.change.date_pair import DateInput
    from backend.change.sar_command import SarChangeRequest, sar_change

    monkeypatch.setattr(sar_rows, "STRIP_PIXELS", 320 * 16)
    there = sorted(path.name for path in tmp_path.iterdir())
    request = SarChangeRequest(DateInput(str(pair[0])), DateInput(str(pair[1])), tmp_path / "o.tif", tmp_path / "d.tif")
    with pytest.raises(Cancelled):
        sar_change(request, cancelled_after())
    assert sorted(path.name for path in tmp_path.iterdir()) == there
