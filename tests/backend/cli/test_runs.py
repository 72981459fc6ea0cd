"""Test the events of a run, and cancelled and killed runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rasterio.control import GroundControlPoint


def test_events_of_a_run(cli, make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(100, 100))
    confidence = tmp_path / "c.tif"
    code, out, err = cli(
        "landcover", scene, tmp_path / "o.tif", "--confidence", confidence, "--model", tiny_model, "--progress", "json"
    )
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[-1] == "result" and kinds.count("start") == 1 and set(kinds) <= {"start", "progress", "log", "result"}
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] and set(progress[0]) == {"event", "done", "total", "eta_s"}
    assert any("db" in event["message"] for event in events if event["event"] == "log")
    result = events[-1]
    assert result["outputs"] == {"output": str(tmp_path / "o.tif"), "confidence": str(confidence)}
    assert result["device"] and result["model"] == "tiny"
    assert sum(c["pixels"] for c in result["classes"]) == 10_000


def points_of(side):
    """A grid of control points on a curved surface: GDAL warps by a spline."""
    places = np.linspace(0, side, 9)
    spots = [(row, column) for row in places for column in places]
    return [GroundControlPoint(r, c, 5e5 + 10 * c + 0.002 * c * c, 4.6e6 - 10 * r + 2 * c, 0) for r, c in spots]


@pytest.fixture
def long_run(request, make_raster, scene_db, tiny_model, worker_environment, tmp_path):
    """A process that maps a large scene, warped if a parameter says so, with an older output in place."""
    warped = getattr(request, "param", "") == "warped"
    placed = {"transform": None, "gcps": points_of(2000)} if warped else {}
    scene = make_raster(np.tile(scene_db(500, 500), (1, 4, 4)), **placed)
    output = tmp_path / "out.tif"
    output.write_bytes(b"older")
    command = [sys.executable, "-m", "backend", "attention", str(scene), str(output), "--model", str(tiny_model)]
    process = subprocess.Popen(
        [*command, "--overwrite", "--progress", "json", "--batch-size", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=worker_environment["PYTHONPATH"],
        env=worker_environment,
    )
    for line in process.stdout:
        if json.loads(line)["event"] == "progress" or "warped to a grid" in line:
            break
    yield process, output
    process.kill()
    process.communicate()


def left_behind(output: Path) -> list[str]:
    return sorted(p.name for p in output.parent.iterdir() if p.name.startswith(".") or p.suffix in (".qml", ".xml"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "stdin"])
def test_a_cancelled_run_ends_soon_and_leaves_the_older_file(long_run, how):
    process, output = long_run
    began = time.monotonic()
    if how == "stdin":
        process.stdin.close()
        process.stdin = None
    else:
        process.send_signal(getattr(signal, how))
    out, err = process.communicate(timeout=20)
    # 1 s on an idle machine; the whole run would take minutes.
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "Traceback" not in err
    assert output.read_bytes() == b"older"
    assert left_behind(output) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("long_run", ["warped"], indirect=True)
@pytest.mark.parametrize("after", [0.0, 1.5])
def test_a_run_that_warps_its_scene_ends_soon_too(long_run, after):
    """GDAL warps as rows are read, and no signal is handled meanwhile: at first to judge the values, then to map."""
    process, output = long_run
    time.sleep(after)
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert (process.returncode, output.read_bytes(), left_behind(output)) == (130, b"older", []), err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_run_leaves_the_older_file_and_is_tidied_up(long_run, cli, make_raster, scene_db, tiny_model):
    process, output = long_run
    process.kill()
    process.wait()
    assert output.read_bytes() == b"older"
    assert len(left_behind(output)) == 2  # its lock and its part
    scene = make_raster(scene_db(20, 20), "small.tif")
    assert cli("attention", scene, output, "--model", tiny_model, "--overwrite", "--progress", "none")[0] == 0
    assert [name for name in left_behind(output) if "sardino" in name] == []
