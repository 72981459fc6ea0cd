"""`calibrate`, and products as the input of everything else: from the command line, and with nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from backend.cli.similarity_server import Oracle, Question
from backend.core.cancel import Cancel
from backend.core.claims import temporary
from backend.core.errors import Cancelled, InputError, ResourceError
from backend.core.events import Reporter
from backend.grd import pipeline
from backend.grd.command import calibrate
from backend.grd.for_model import calibrated
from backend.grd.pipeline import CalibrateRequest
from tests.support.make_safe import NAME, Scene, make_safe, zip_safe


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    return make_safe(tmp_path_factory.mktemp("product"), Scene(shape=(120, 150)))


def values_of(path):
    with rasterio.open(path) as file:
        return file.read()


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


class Listener(Reporter):
    """What was said, and a bell at the first progress of a part."""

    def __init__(self, bell=lambda: None):
        super().__init__()
        self.messages, self.steps, self._bell = [], [], bell

    def log(self, level, message):
        self.messages.append(message)

    def progress(self, done, total):
        self.steps.append((done, total))
        self._bell()


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


def test_decibels_and_sigma_nought_are_the_same_in_another_dress(cli, product, tmp_path):
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


def test_output_beside_a_product_may_bear_its_name(cli, tmp_path):
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
    [(("--pixel-size", "0.5"), "wanted are 1 to 200"), (("--pixel-size", "nan"), "wanted are 1 to 200"),
     (("--extent", "1", "1", "2", "2"), "outside"), ((), "exists")],
)  # fmt: skip
def test_refusals(cli, product, tmp_path, options, match):
    (tmp_path / "o.tif").write_text("older")
    code, _, err = cli("calibrate", product, tmp_path / "o.tif", *options, *(["--overwrite"] if options else []))
    assert code == 1 and match in err and len(err.strip().splitlines()) <= 2
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["o.tif"]


def test_no_product_is_refused_in_one_line(cli, sample_scene, tmp_path):
    code, _, err = cli("calibrate", sample_scene, tmp_path / "o.tif")
    assert code == 1 and "no Sentinel-1 product" in err and not left_in(tmp_path)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_cancelled_at_any_step(product, tmp_path, step, monkeypatch):
    monkeypatch.setattr(pipeline, "LINES", 64)
    (tmp_path / "o.tif").write_text("older")
    cancel = Cancel()
    reporter = Listener(lambda: len(reporter.steps) == step and cancel.set())
    request = CalibrateRequest(str(product), tmp_path / "o.tif", overwrite=True, reporter=reporter, cancel=cancel)
    with pytest.raises(Cancelled):
        calibrate(request)
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["o.tif"]


def test_a_file_that_breaks_off_leaves_the_older_output(product, tmp_path):
    import shutil

    copy = shutil.copytree(product, tmp_path / "in" / NAME)
    (path,) = copy.glob("measurement/*-vv-*")
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    (tmp_path / "o.tif").write_text("older")
    with pytest.raises(InputError, match="damaged|no image"):
        calibrate(CalibrateRequest(str(copy), tmp_path / "o.tif", overwrite=True))
    assert (tmp_path / "o.tif").read_text() == "older" and left_in(tmp_path) == ["in", "o.tif"]


def test_too_little_room_is_refused_before_the_work(product, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(ResourceError, match="are needed on the way"):
        calibrate(CalibrateRequest(str(product), tmp_path / "o.tif"))
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
from backend.grd import calibrate
read = calibrate.CalibratedImage.read
def slow(self, top, bottom):
    print("reading", flush=True)
    time.sleep(60)
    return read(self, top, bottom)
calibrate.CalibratedImage.read = slow
from backend.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("arguments", [["calibrate"], ["landcover", "--model"]])
def test_a_signal_in_the_middle_of_a_long_call_leaves_nothing(
    product, tmp_path, worker_environment, repo_root, tiny_model, arguments
):
    more = [str(tiny_model)] if len(arguments) > 1 else []
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments, *more, str(product), str(tmp_path / "o.tif")],
        cwd=repo_root, env=worker_environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout.readline() == b"reading\n" and any(".radar." in name for name in left_in(tmp_path))
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130 and time.monotonic() - began < 5
    process.stdout.close()
    assert not left_in(tmp_path)


PEAK = """
import sys
from pathlib import Path
import numpy as np
from backend.grd import passes
from backend.grd.command import calibrate
from backend.grd.pipeline import CalibrateRequest
from benchmarks.speed.memory import peak_mib
passes.LARGE_CACHE = 4 * 2**20  # a bound as well, but one that small images don't reach
calibrate(CalibrateRequest(sys.argv[1], Path(sys.argv[2])))
print(peak_mib())
"""


@pytest.mark.skipif(os.name == "nt", reason="no measure of the peak there")
def test_memory_does_not_grow_with_the_lines(tmp_path, worker_environment, repo_root):
    def peak(lines):
        scene = Scene(
            shape=(lines, 700),
            polarisations=("VV",),
            numbers=lambda line, sample: 50 + (line + sample) % 99,
            ground=lambda line, sample: (520000 + 10 * sample + line / 2, 5_090_000 - 10 * line + sample / 2),
        )
        folder = make_safe(tmp_path / str(lines), scene)
        command = [sys.executable, "-c", PEAK, str(folder), str(tmp_path / f"{lines}.tif")]
        done = subprocess.run(
            command, cwd=repo_root, env=worker_environment, check=True, capture_output=True, text=True
        )
        return float(done.stdout)

    # Kept whole, 6,000 lines more would be 16 MiB of the image, and as much of the map; bookkeeping of GDAL takes 10.
    assert peak(8000) - peak(2000) < 16


# As the input of the others


def test_land_cover_of_a_product_is_that_of_the_calibrated_raster(cli, product, tiny_model, tmp_path):
    assert cli("calibrate", product, tmp_path / "c.tif")[0] == 0
    run = ("--model", tiny_model, "--device", "cpu")
    assert cli("landcover", tmp_path / "c.tif", tmp_path / "a.tif", *run)[0] == 0
    pattern = product.with_name(NAME[:10] + "*")
    for given in (product, product / "manifest.safe", zip_safe(product, tmp_path / "z.zip"), pattern):
        code, _, err = cli("landcover", given, tmp_path / "b.tif", *run, "--overwrite")
        assert code == 0 and "calibrated to gamma0 first, on a grid of 10 m, without terrain correction" in err
        a, b = values_of(tmp_path / "a.tif"), values_of(tmp_path / "b.tif")
        assert np.array_equal(a, b) and a.any()
    with rasterio.open(tmp_path / "b.tif") as b, rasterio.open(tmp_path / "c.tif") as c:
        assert b.transform == c.transform and b.crs == c.crs
    assert cli("landcover", product / "manifest.safe", tmp_path / "d.tif", *run)[0] == 0
    with rasterio.open(tmp_path / "d.tif") as file:
        assert file.tags()["SARDINO_INPUT"] == NAME
    assert not [name for name in left_in(tmp_path) if name.startswith(".")]


def test_calibration_and_map_have_a_bar_each(cli, product, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.core.events.REDRAW_S", 0)
    code, out, _ = cli(
        "landcover", product, tmp_path / "o.tif", "--model", tiny_model, "--device", "cpu", "--progress", "json"
    )
    steps = [event for event in map(json.loads, out.splitlines()) if event["event"] == "progress"]
    totals = list(dict.fromkeys(event["total"] for event in steps))
    assert code == 0 and len(totals) == 2
    for total in totals:
        part = [event["done"] for event in steps if event["total"] == total]
        assert part == sorted(part) and part[-1] == total
    # The pace of the calibration says nothing about that of the model.
    assert next(event for event in steps if event["total"] == totals[1])["eta_s"] in (None, 0)


def test_attention_embeddings_and_similarity_take_products_too(cli, product, tiny_model, tmp_path):
    run = ("--model", tiny_model, "--device", "cpu")
    with rasterio.open(next(product.glob("measurement/*-vv-*"))) as file:
        west, south = (min(values) for values in zip(*((p.x, p.y) for p in file.gcps[0])))
    extent = ("--extent", west + 0.003, south + 0.003, west + 0.012, south + 0.009)
    point = ("--point", west + 0.008, south + 0.006)
    assert cli("attention", product, tmp_path / "a.tif", *run)[0] == 0
    assert cli("embed", product, tmp_path / "e.tif", *run, *extent)[0] == 0
    code, _, err = cli("similarity", product, tmp_path / "s.tif", *run, *point)
    assert code == 0, err
    with rasterio.open(tmp_path / "s.tif") as file:
        (x,), (y,) = transform("EPSG:4326", file.crs, [point[1]], [point[2]])
        assert file.read(1)[file.index(x, y)] == pytest.approx(1, abs=1e-4)
    with rasterio.open(tmp_path / "e.tif") as file:
        assert file.width < 14 and np.isfinite(file.read()).any()
    code, _, err = cli("similarity", product, tmp_path / "t.tif", *run, "--point", 0, 0)
    assert code == 1 and "outside" in err and not (tmp_path / "t.tif").exists()


@pytest.mark.parametrize("options", [("--bands", "1", "2"), ("--units", "db")])
def test_what_a_product_tells_itself_is_not_to_be_given(cli, product, tiny_model, tmp_path, options):
    code, _, err = cli("landcover", product, tmp_path / "o.tif", "--model", tiny_model, *options)
    assert code == 1 and "without bands and units" in err and not left_in(tmp_path)


def test_a_product_beside_other_files_is_refused(cli, product, tiny_model, make_raster, scene_db, tmp_path):
    raster = make_raster(scene_db(20, 20))
    for first, second in ((product, raster), (raster, product / "manifest.safe")):
        code, _, err = cli("landcover", first, tmp_path / "o.tif", "--with", second, "--model", tiny_model)
        assert code == 1 and "Give the product alone" in err and left_in(tmp_path) == ["scene.tif"]


def test_polarisations_that_are_not_there_are_refused(cli, tiny_model, tmp_path):
    folder = make_safe(tmp_path, Scene(shape=(30, 40), polarisations=("HH", "HV")))
    code, _, err = cli("landcover", folder, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and "HH, HV" in err and "VV, VH" in err and left_in(tmp_path) == [NAME]


def test_a_polarisation_may_be_missing_where_the_model_bears_it(tmp_path, card):
    folder = make_safe(tmp_path, Scene(shape=(30, 40), polarisations=("VV",)))
    output = tmp_path / "o.tif"
    with calibrated(str(folder), output, card(allows_missing_bands=True), None, Listener(), Cancel()) as path:
        with rasterio.open(path) as file:
            assert file.descriptions == ("VV",) and np.isfinite(file.read()).any()
    with pytest.raises(InputError, match="has the polarisations VV; the model wants VV, VH"):
        with calibrated(str(folder), output, card(), None, Listener(), Cancel()):
            pass
    assert left_in(tmp_path) == [NAME]


def test_an_existing_output_is_refused_before_the_calibration(cli, product, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "_store", None)  # would fail
    (tmp_path / "o.tif").touch()
    code, _, err = cli("landcover", product, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and "exists" in err


def test_uncalibrated_parts_are_refused_with_the_way_out(cli, product, tiny_model, tmp_path, make_raster):
    (image,) = product.glob("measurement/*-vv-*")
    numbers = make_raster(np.random.default_rng(0).integers(50, 400, (2, 64, 64)).astype(np.uint16), "dn.tif")
    for given in (image, f"SENTINEL1_CALIB:UNCALIB:{product}/manifest.safe:IW:AMPLITUDE", numbers):
        code, _, err = cli("landcover", given, tmp_path / "o.tif", "--model", tiny_model)
        assert code == 1 and "python -m backend calibrate" in err and "sardino:calibrate" in err


def test_a_click_on_a_product_is_refused(product, tiny_model, tmp_path):
    question = Question(str(product), ((9.2, 45.9),), tmp_path / "o.tif", model=str(tiny_model))
    with pytest.raises(InputError, match="takes minutes"):
        Oracle("cpu", Cancel()).answer(question, Listener())


def test_info_of_a_product(cli, product):
    code, out, _ = cli("info", product, "--progress", "json")
    facts = json.loads(out)["product"]
    assert code == 0 and facts["name"] == NAME and facts["polarisations"] == ["VV", "VH"]
    assert (facts["lines"], facts["samples"], facts["pixel_metres"]) == (120, 150, 10)
