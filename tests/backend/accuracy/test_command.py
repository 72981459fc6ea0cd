"""Test the command `accuracy`: refusals, outputs, events, and cancelling."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from rasterio.transform import from_origin

from backend.accuracy.command import AccuracyRequest, accuracy
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError, ResourceError
from backend.output.styles import aux_xml
from backend.raster import blocks
from tests.support.backend.listener import cancelled_after
from tests.support.class_maps import CLASSES, TRUTH, centre
from tests.support.small_disk import leave_room, mounted

FAR = from_origin(700_000, 4_600_000, 10, 10)
EMPTY = np.zeros((60, 120), np.uint8)
POINT, AWAY = {"type": "Point", "coordinates": centre(0, 0)}, {"type": "Point", "coordinates": [1, 1]}
LINE = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
# Kind of error: functions that make map and reference from the good map, and a part of the message.
REFUSALS = {
    "float map": (lambda make, _, good: (make(TRUTH.astype(np.float32), "f.tif"), good), "float32"),
    "float reference": (lambda make, _, good: (good, make(TRUTH.astype(np.float32), "f.tif")), "float32"),
    "complex": (lambda make, _, good: (make(TRUTH.astype(np.complex64), "f.tif"), good), "complex64"),
    "elsewhere": (lambda make, _, good: (good, make(TRUTH, "r.tif", transform=FAR)), "does not overlap"),
    "points elsewhere": (lambda _, geojson, good: (good, geojson([(10, AWAY)])), "does not overlap"),
    "nothing in common": (lambda make, _, good: (good, make(TRUTH + 1, "r.tif")), "no class in common"),
    "too many values": (lambda make, _, good: (make(np.arange(7200, dtype="int32").reshape(60, 120), "m.tif"), good),
                        "more than 256"),
    "all nodata": (lambda make, _, good: (make(EMPTY, "m.tif", nodata=0), good), "no valid pixel"),
    "reference nodata": (lambda make, _, good: (good, make(EMPTY, "r.tif", nodata=0)), "No pixel of the map"),
    "one crs": (lambda make, _, good: (good, make(TRUTH[:30], "r.tif", crs=None)), "no coordinate system"),
    "missing": (lambda _, __, good: (good, good.with_name("absent.tif")), "no file"),
    "line": (lambda _, geojson, good: (good, geojson([(10, POINT), (10, LINE)])), "LineString"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_say_why_and_leave_nothing(make, geojson, tmp_path, cli, kind):
    build, match = REFUSALS[kind]
    map_, reference = build(make, geojson, make(TRUTH, "map.tif"))
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, err = cli("accuracy", map_, reference, tmp_path / "o.html", "--progress", "none")
    assert code == 1 and out == "" and len(err.splitlines()) == 1
    assert match in err and " hint: " in err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("cut", [0.3, 0.7])
def test_a_damaged_raster_is_refused(make, assess, noisy, cut):
    reference = make(np.random.default_rng(0).integers(0, 3, (600, 600), np.uint8), "ref.tif")
    os.truncate(reference, int(reference.stat().st_size * cut))
    with pytest.raises(InputError, match=r"damaged|not a raster"):
        assess(make(np.ones((600, 600), np.uint8), "map.tif"), reference)


def test_a_sample_is_drawn_from_rasters_only(make, assess, geojson):
    with pytest.raises(InputError, match="reference raster only"):
        assess(make(TRUTH, "m.tif"), geojson([(10, {"type": "Point", "coordinates": centre(0, 0)})]), sample=50)
    with pytest.raises(InputError, match="too small"):
        assess(make(TRUTH, "m.tif"), make(TRUTH, "r.tif"), sample=3)
    with pytest.raises(InputError, match="'Lake'"):
        assess(make(TRUTH, "m.tif"), make(TRUTH, "r.tif"), mapping={"Lake": 80})


def test_outputs_need_overwrite_and_spare_inputs(make, cli, noisy, tmp_path):
    map_, reference, report = make(noisy, "map.tif"), make(TRUTH, "ref.tif"), tmp_path / "o.html"
    # Unlike raster outputs, a report may have the name of a raster: it replaces no sidecar file.
    assert cli("accuracy", map_, reference, tmp_path / "map.html", "--json", tmp_path / "map.json")[0] == 0
    report.write_text("older")
    for outputs in ([report], [map_, "--overwrite"], [tmp_path / "n.html", "--json", tmp_path / "n.html"],
                    [tmp_path / "no" / "n.html"], [tmp_path, "--overwrite"]):  # fmt: skip
        assert cli("accuracy", map_, reference, *outputs, "--progress", "none")[0] == 1
    assert report.read_text() == "older"
    assert cli("accuracy", map_, reference, report, "--overwrite", "--progress", "none")[0] == 0
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_matrix_as_csv(make, assess, noisy, tmp_path):
    path = make(noisy, "map.tif")
    Path(f"{path}.aux.xml").write_text(aux_xml(CLASSES, {}))
    facts = assess(path, make(TRUTH, "ref.tif"), csv=tmp_path / "m.csv")
    with open(tmp_path / "m.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0][1:] == ["10 Tree", "40 Crop", "80 Water", "sum"]
    assert [[int(v) for v in line[1:4]] for line in lines[1:4]] == facts["pixels"]["matrix"]
    assert int(lines[4][4]) == TRUTH.size


def test_events(make, noisy, cli, tmp_path):
    map_, reference = make(noisy, "map.tif"), make(TRUTH, "ref.tif")
    code, out, err = cli("accuracy", map_, reference, tmp_path / "o.html", "--sample", 300, "--progress", "json")
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert {e["event"] for e in events} == {"start", "progress", "log", "result"}
    progress = [e for e in events if e["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == 2 * 60
    assert events[-1]["units"] == 300 and 0 < events[-1]["estimated_overall_accuracy"] < 1
    assert events[-1]["overall_accuracy"] == pytest.approx((noisy == TRUTH).mean())


@pytest.mark.parametrize("text", ["1", "1=", "=2", "1=x", "a=1.5"])
def test_an_invalid_mapping_is_wrong_usage(cli, text):
    assert cli("accuracy", "a", "b", "c", "--remap", text)[0] == 2


def test_cancelled_runs_leave_the_older_report(make, noisy, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 500)
    report = tmp_path / "o.html"
    report.write_text("older")

    request = AccuracyRequest(str(make(noisy, "map.tif")), str(make(TRUTH, "ref.tif")), report, overwrite=True)
    with pytest.raises(Cancelled):
        accuracy(request, cancelled_after())
    assert report.read_text() == "older"
    assert not [p for p in tmp_path.iterdir() if "sardino-part" in p.name]


def test_a_full_disk_leaves_the_older_report(make, noisy, tmp_path):
    sources = [str(make(noisy, "map.tif")), str(make(TRUTH, "ref.tif"))]
    with mounted(tmp_path / "disk", "size=1m") as disk:
        accuracy(AccuracyRequest(*sources, disk / "o.html", disk / "o.json"), Context())
        room = (disk / "o.html").stat().st_size + 4096
        (disk / "o.html").write_text("older")
        (disk / "o.json").unlink()
        leave_room(disk, room)
        with pytest.raises(ResourceError, match="no space is left"):
            accuracy(AccuracyRequest(*sources, disk / "o.html", disk / "o.json", overwrite=True), Context())
        assert (disk / "o.html").read_text() == "older"
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "o.html"]
