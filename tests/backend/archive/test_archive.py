"""Archives end to end: by the command line, with a small model."""

from __future__ import annotations

import hashlib
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

from backend.archive.folder import ArchiveFolder
from backend.archive.manifest import write_manifest
from backend.archive.plan import read_plan
from backend.archive.worker import State
from backend.core.errors import ResourceError
from tests.support.backend.archives import PROJECTION, rows_of
from tests.support.stac.schemas import FOLDER, item_errors


def test_every_scene_is_mapped_and_entered_with_its_hash(archive, tmp_path):
    code, _, err = archive("--also", "confidence", "probabilities", "--bits", "8")
    assert code == 0, err
    out = tmp_path / "out"
    rows = rows_of(out)
    assert [(row["name"], row["status"]) for row in rows] == [(f"S1_2024010{n}", "finished") for n in (1, 2, 3)]
    for row in rows:
        data = (out / row["output"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"] and len(data) == int(row["bytes"])
        assert "units=ok" in row["checks"] and float(row["seconds"]) > 0
    assert os.listdir(out / "claims") == [] and os.listdir(out / "work") == []
    with rasterio.open(out / "scenes/S1_20240101/S1_20240101_probabilities.tif") as file:
        assert file.dtypes[0] == "uint8" and file.nodata == 255 and file.scales[0] == pytest.approx(1 / 254)
        assert np.abs(file.read().sum(axis=0) - 254.0).max() <= 2


def test_items_and_collection_are_valid(archive, tmp_path):
    archive()
    item = json.loads((tmp_path / "out/scenes/S1_20240102/S1_20240102.json").read_bytes())
    assert PROJECTION in item["stac_extensions"] and not list(FOLDER.glob("projection*"))
    item["stac_extensions"].remove(PROJECTION)
    assert item_errors(item) == []
    assert item["properties"]["start_datetime"] == "2024-01-02T00:00:00Z"
    assert item_errors(json.loads((tmp_path / "out/model.json").read_bytes())) == []
    whole = json.loads((tmp_path / "out/collection.json").read_bytes())
    hrefs = [link["href"] for link in whole["links"] if link["rel"] == "item"]
    # STAC wants lists of values, ranges or schemas; the schema of MLM 1.4.0 objects: schemas are both.
    assert whole["summaries"] == {"mlm:name": {"const": "tiny"}, "mlm:tasks": {"const": ["semantic-segmentation"]}}
    assert len(hrefs) == 3 and all((tmp_path / "out" / href).is_file() for href in hrefs)
    assert whole["extent"]["temporal"]["interval"] == [["2024-01-01T00:00:00Z", "2024-01-03T23:59:59Z"]]


def test_a_restart_skips_what_is_done_and_does_what_is_missing(archive, tmp_path):
    archive()
    first, second = (tmp_path / f"out/scenes/S1_2024010{n}" for n in (1, 2))
    before, made = first.stat().st_mtime_ns, (second / "S1_20240102_landcover.tif").read_bytes()
    worker = rows_of(tmp_path / "out")[1]["worker"]
    shutil.rmtree(second)
    code, _, err = archive()
    assert code == 0, err
    assert first.stat().st_mtime_ns == before and (second / "S1_20240102_landcover.tif").read_bytes() == made
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["finished"] * 3
    assert rows_of(tmp_path / "out")[1]["worker"] != worker


def test_other_options_and_another_plan_are_refused(archive, plan):
    archive()
    code, _, err = archive("--also", "confidence")
    assert code == 1 and "also was [], now ['confidence']" in err
    shutil.copy(plan / "S1_20240101.tif", plan / "S1_20240109.tif")
    code, _, err = archive()
    assert code == 1 and "The plan has changed" in err


def test_an_unwritable_manifest_is_said_unless_complete(archive, tmp_path, monkeypatch):
    assert archive()[0] == 0

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("backend.core.claims.FileLock", read_only)
    folder, units = ArchiveFolder(tmp_path / "out"), read_plan(str(tmp_path / "out/plan.csv"))
    model = str(json.loads((tmp_path / "out/archive.json").read_bytes())["options"]["model"])
    names = {unit.name for unit in units}
    monkeypatch.setattr("backend.archive.manifest.ModelCard.load", lambda path: None)
    monkeypatch.setattr("backend.archive.manifest.model_folder", lambda name: tmp_path)
    assert write_manifest(folder, units, State(names), model)
    with pytest.raises(ResourceError, match="Read-only"):
        write_manifest(folder, units, State(names - {"S1_20240102"}), model)


def test_what_fails_is_repeated_reported_and_done_when_mended(archive, plan, tmp_path, make_raster, scene_db):
    good = (plan / "S1_20240102.tif").read_bytes()
    (plan / "S1_20240102.tif").write_bytes(good[:200])
    code, _, err = archive("--retries", "1")
    assert code == 1 and "1 of 3 scenes were given up, the first one, S1_20240102" in err
    row = rows_of(tmp_path / "out")[1]
    assert row["status"] == "given up" and row["error"]
    assert len([name for name in os.listdir(tmp_path / "out/claims") if name.endswith(".failed")]) == 2
    (plan / "S1_20240102.tif").write_bytes(good)
    assert archive("--retries", "1")[0] == 1
    code, _, err = archive("--retries", "2")
    assert code == 0, err
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["finished"] * 3


def test_options_without_effect_are_refused(archive, cli, plan, tmp_path, tiny_model):
    assert "no output called pca" in archive("--also", "pca")[2]
    assert "--bits 8 has no effect" in archive("--bits", "8", "--also", "margin")[2]
    assert "--heads has no effect" in archive("--heads", "all")[2]
    assert not (tmp_path / "out").exists()


def test_embeddings_in_bytes_with_their_picture(archive, tmp_path):
    code, _, err = archive("--task", "embed", "--bits", "8", "--also", "pca")
    assert code == 0, err
    with rasterio.open(tmp_path / "out/scenes/S1_20240103/S1_20240103_embed.tif") as file:
        assert file.count == 32 and file.dtypes[0] == "uint8"


def test_a_worker_that_was_killed_is_replaced(plan, tiny_model, tmp_path, worker_environment):
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "backend", "archive", str(plan), "--out", str(out), "--model", str(tiny_model),
        "--units", "db", "--dead-after", "1", "--progress", "none",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=worker_environment)
    while not (out / "claims").is_dir() or not any(n.endswith(".claim") for n in os.listdir(out / "claims")):
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert subprocess.run(command, env=worker_environment, timeout=60, check=False).returncode == 0
    assert [row["status"] for row in rows_of(out)] == ["finished"] * 3
    assert os.listdir(out / "claims") == [] and os.listdir(out / "work") == []
