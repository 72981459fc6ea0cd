"""`calibrate` from the command line: outputs, refusals, and the files that remain."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio

from backend.core.cancel import Cancel
from backend.core.claims import temporary
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError, ResourceError
from backend.grd import radar_file
from backend.grd.command import calibrate
from backend.grd.request import CalibrateRequest
from tests.support.backend.listener import Listener
from tests.support.make_safe import NAME, Scene, make_safe, zip_safe


def values_of(path):
    with rasterio.open(path) as file:
        return file.read()


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_bands_are_named_and_tagged(cli, product, tmp_path):
    code, out, err = cli("calibrate", product, tmp_path / "o.tif")
    assert code == 0 and out.split() == [str(tmp_path / "o.tif")], err
    with rasterio.open(tmp_path / "o.tif") as file:
        assert file.descriptions == ("VV", "VH") and np.isnan(file.nodata) and file.dtypes == ("float32",) * 2
        tags, values = file.tags(), file.read()
    assert tags["SARDINO_INPUT"] == NAME and tags["SARDINO_QUANTITY"] == "gamma0" and tags["SARDINO_DATE"]
    assert tags["SARDINO_THERMAL_NOISE"] == "removed" and tags["SARDINO_ACQUIRED"].startswith("2021-04-01T05:26")
    assert 0 < np.nanmedian(values[1]) < np.nanmedian(values[0]) < 0.2
    assert left_in(tmp_path) == ["o.qml", "o.tif", "o.tif.aux.xml"]


def test_units_and_quantity_change_the_values_as_they_should(cli, product, tmp_path):
    for name, options in {"p": (), "d": ("--units", "db"), "s": ("--product", "sigma0")}.items():
        assert cli("calibrate", product, tmp_path / f"{name}.tif", *options)[0] == 0
    power, decibels, sigma = (values_of(tmp_path / f"{name}.tif") for name in "pds")
    assert np.allclose(10 * np.log10(power), decibels, atol=1e-4, equal_nan=True)
    ratio = np.nanmedian(sigma / power)
    assert 0.75 < ratio < 0.95  # (560 / 620)² where the tables begin
    with rasterio.open(tmp_path / "d.tif") as file:
        assert file.tags()["SARDINO_UNITS"] == "db"


def test_folder_manifest_and_zip_give_the_same_bytes(cli, product, tmp_path):
    packed = zip_safe(product, tmp_path / "o.zip")
    for number, given in enumerate((product, product / "manifest.safe", packed)):
        assert cli("calibrate", given, tmp_path / f"{number}.tif")[0] == 0
    contents = [(tmp_path / f"{number}.tif").read_bytes() for number in range(3)]
    assert contents[0] == contents[1] == contents[2]


def test_output_may_have_the_name_of_the_product(cli, tmp_path):
    folder = make_safe(tmp_path, Scene(shape=(30, 40)))
    assert cli("calibrate", folder, folder.with_suffix(".tif"))[0] == 0
    packed = zip_safe(folder, folder.with_suffix(".zip"))
    assert cli("calibrate", packed, folder.with_suffix(".tif"), "--overwrite")[0] == 0
    code, _, err = cli("calibrate", packed, packed, "--overwrite")
    assert code == 1 and "is the input" in err


def test_one_bar_for_both_passes(cli, product, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.core.events.REDRAW_S", 0)
    code, out, _ = cli("calibrate", product, tmp_path / "o.tif", "--progress", "json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [events[0]["event"], events[-1]["event"]] == ["start", "result"]
    assert events[-1]["polarisations"] == ["VV", "VH"] and events[0]["model"] == ""
    steps = [(e["done"], e["total"]) for e in events if e["event"] == "progress"]
    assert len({total for _, total in steps}) == 1 and len(steps) >= 2
    assert steps == sorted(steps) and steps[-1][0] == steps[-1][1]


@pytest.mark.parametrize(
    ("options", "match"),
    [(("--pixel-size", "0.5"), "1 to 200 m are allowed"), (("--pixel-size", "nan"), "1 to 200 m are allowed"),
     (("--extent", "1", "1", "2", "2"), "outside"), ((), "exists")],
)  # fmt: skip
def test_refusals(cli, product, tmp_path, options, match):
    (tmp_path / "o.tif").write_text("older")
    code, _, err = cli("calibrate", product, tmp_path / "o.tif", *options, *(["--overwrite"] if options else []))
    assert code == 1 and match in err and len(err.strip().splitlines()) <= 2
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["o.tif"]


def test_a_raster_is_refused_in_one_line(cli, sample_scene, tmp_path):
    code, _, err = cli("calibrate", sample_scene, tmp_path / "o.tif")
    assert code == 1 and "not a Sentinel-1 product" in err and not left_in(tmp_path)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_cancelled_at_any_step(product, tmp_path, step, monkeypatch):
    monkeypatch.setattr(radar_file, "LINES", 64)
    (tmp_path / "o.tif").write_text("older")
    cancel = Cancel()
    reporter = Listener(lambda: len(reporter.steps) == step and cancel.set())
    request = CalibrateRequest(str(product), tmp_path / "o.tif", overwrite=True)
    with pytest.raises(Cancelled):
        calibrate(request, Context(reporter, cancel))
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["o.tif"]


def test_a_truncated_image_leaves_the_older_output(product, tmp_path):
    copy = shutil.copytree(product, tmp_path / "in" / NAME)
    (path,) = copy.glob("measurement/*-vv-*")
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    (tmp_path / "o.tif").write_text("older")
    with pytest.raises(InputError, match="damaged|GDAL can't open"):
        calibrate(CalibrateRequest(str(copy), tmp_path / "o.tif", overwrite=True), Context())
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["in", "o.tif"]


def test_a_full_disk_is_refused_before_the_work(product, tmp_path, monkeypatch):
    monkeypatch.setattr(radar_file.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(ResourceError, match="are needed for a temporary file"):
        calibrate(CalibrateRequest(str(product), tmp_path / "o.tif"), Context())
    assert not left_in(tmp_path)


def test_what_a_killed_run_left_goes_at_the_next(cli, product, tmp_path):
    for suffix in (".radar.tif", ".calibrated.tif"):
        for name in ("o.tif", "p.tif"):
            temporary(tmp_path / name, suffix).write_text("x")
    assert cli("calibrate", product, tmp_path / "o.tif")[0] == 0
    left = left_in(tmp_path)
    assert len([n for n in left if n.startswith(".p")]) == 2 and not [n for n in left if n.startswith(".o")]


SLOW = """
import sys, time
from backend.grd.calibrated_image import CalibratedImage
read = CalibratedImage.read
def slow(self, top, bottom):
    print("reading", flush=True)
    time.sleep(60)
    return read(self, top, bottom)
CalibratedImage.read = slow
from backend.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("arguments", [["calibrate"], ["landcover", "--model"]])
def test_a_signal_during_a_long_call_leaves_nothing(
    product, tmp_path, worker_environment, repo_root, tiny_model, arguments
):
    more = [str(tiny_model)] if len(arguments) > 1 else []
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments, *more, str(product), str(tmp_path / "o.tif")],
        cwd=repo_root, env=worker_environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout.readline() == b"reading\n" and list(tmp_path.rglob("*.radar.tif"))
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130 and time.monotonic() - began < 5
    process.stdout.close()
    assert not left_in(tmp_path)
