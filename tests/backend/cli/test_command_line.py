"""Exit codes, events, refusals in one line, and what is left behind by cancelled and killed runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend.__main__ import parse


def truncated(make, scene):
    path = make(scene(400, 400), compress="deflate")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def cut_data(make, scene):
    """Whole header, data missing from the middle on."""
    path = make(scene(600, 600))
    os.truncate(path, path.stat().st_size // 2)
    return path


def not_a_raster(make, scene):
    path = make(scene(2, 2)).with_name("notes.tif")
    path.write_text("no raster")
    return path


def no_bands(make, scene):
    path = make(scene(2, 2)).with_name("inside.nc")
    path.write_bytes(b"CDF\x01" + bytes(28))
    return path


BAD = {
    "missing": lambda make, scene: make(scene(2, 2)).with_name("missing.tif"),
    "not a raster": not_a_raster,
    "truncated": truncated,
    "data cut short": cut_data,
    "no bands": no_bands,
    "complex": lambda make, scene: make(scene(20, 20).astype(np.complex64)),
    "one band": lambda make, scene: make(scene(20, 20)[:1]),
    "all nodata": lambda make, scene: make(np.full((2, 30, 30), -9999, np.float32), nodata=-9999),
    "all nan": lambda make, scene: make(np.full((2, 30, 30), np.nan, np.float32)),
    "digital numbers": lambda make, scene: make(np.full((2, 30, 30), 300, np.uint16)),
    "nonsense": lambda make, scene: make(scene(30, 30) * 1000),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("command", ["landcover", "attention", "embed", "similarity"])
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(kind, command, cli, make_raster, scene_db, tiny_model):
    scene = BAD[kind](make_raster, scene_db)
    output = scene.parent / "out.tif"
    before = sorted(p.name for p in scene.parent.iterdir())
    more = ["--point", 500_005, 4_599_995] if command == "similarity" else []
    code, out, err = cli(command, scene, output, "--model", tiny_model, "--progress", "none", *more)
    assert code == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ") and " hint: " in err and "Traceback" not in err
    assert sorted(p.name for p in scene.parent.iterdir()) == before


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "unknown"],
        ["--bands", "1"],
        ["--bands", "1", "7"],
        ["--extent", "0", "0", "1", "1"],
        ["--confidence", "out.tif"],
        ["--device", "missing"],
    ],
    ids=lambda options: " ".join(options),
)
def test_bad_options_are_refused_in_one_line(options, cli, make_raster, scene_db, tiny_model, monkeypatch, tmp_path):
    from backend.engines.pytorch import available_devices

    absent = next(device for device in ("mps", "cuda") if device not in available_devices())
    options = [absent if option == "missing" else option for option in options]
    monkeypatch.chdir(tmp_path)
    make_raster(scene_db(20, 20))
    code, _, err = cli("landcover", "scene.tif", "out.tif", "--model", tiny_model, "--progress", "none", *options)
    assert code == 1 and len(err.splitlines()) == 1 and " hint: " in err
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["scene.tif"]


@pytest.mark.parametrize(
    "extent",
    [("-1e-05", "-2E-5", "1e-5", "2e-05"), ("-1.5e+03", "-.5", "-1.", "7"), ("-3", "-2.5", "-1e0", "-1e-300")],
)
def test_extents_may_be_negative_in_any_notation(extent):
    options = parse(["landcover", "in.tif", "out.tif", "--extent", *extent, "--bands", "1", "2"])
    assert options.extent == [float(text) for text in extent]
    assert options.bands == [1, 2] and options.output == Path("out.tif")


def test_points_may_be_many_and_negative_in_any_notation():
    options = parse(["similarity", "in.tif", "out.tif", "--point", "-1e-05", "2E+5", "--point", "-3", "-.5"])
    assert options.point == [[-1e-05, 2e5], [-3, -0.5]] and options.grid == "input"
    assert parse(["embed", "in.tif", "out.tif"]).grid == "patch"


def test_wrong_usage_is_2(cli):
    assert cli("similarity", "a", "b")[0] == 2
    assert cli("similarity", "a", "b", "--point", "1")[0] == 2
    assert cli("embed", "a", "b", "--grid", "finer")[0] == 2
    assert cli("landcover", "a", "b", "--extent", "-1e-05", "-x", "1", "2")[0] == 2
    assert cli("landcover")[0] == 2
    assert cli("landcover", "a", "b", "--batch-size", "-1")[0] == 2
    assert cli("nothing")[0] == 2


def test_an_unforeseen_fault_is_one_line_without_a_trace(cli, make_raster, scene_db, tiny_model, monkeypatch, tmp_path):
    from backend.network.vit import SarViT

    def fail(self, x):
        raise ZeroDivisionError("by\nnought")

    monkeypatch.setattr(SarViT, "forward", fail)
    scene = make_raster(scene_db(20, 20))
    code, _, err = cli("landcover", scene, tmp_path / "o.tif", "--model", tiny_model, "--progress", "none")
    assert code == 1 and len(err.splitlines()) == 1 and "ZeroDivisionError" in err
    assert not (tmp_path / "o.tif").exists()


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


def test_a_refusal_is_an_event(cli, tmp_path, tiny_model):
    code, out, err = cli("landcover", tmp_path / "no.tif", tmp_path / "o", "--model", tiny_model, "--progress", "json")
    assert (code, err) == (1, "")
    event = json.loads(out)
    assert event["event"] == "error" and event["message"] and event["hint"]


def test_existing_output_needs_overwrite(cli, make_raster, scene_db, tiny_model, tmp_path):
    scene, output = make_raster(scene_db(20, 20)), tmp_path / "o.tif"
    output.write_bytes(b"older")
    arguments = ["landcover", scene, output, "--model", tiny_model, "--progress", "none"]
    assert cli(*arguments)[0] == 1
    assert output.read_bytes() == b"older"
    assert cli(*arguments, "--overwrite")[0] == 0
    with rasterio.open(output) as file:
        assert file.count == 1
    assert cli("landcover", scene, scene, "--model", tiny_model, "--overwrite", "--progress", "none")[0] == 1


def test_info_of_installation_raster_and_model(cli, make_raster, scene_db, tiny_model, monkeypatch):
    monkeypatch.setenv("SARDINO_MODELS", str(tiny_model.parent))
    code, out, _ = cli("info", "--progress", "json")
    facts = json.loads(out)
    assert code == 0 and facts["event"] == "result" and facts["device"] in ("cpu", *facts["devices"], facts["device"])
    model = next(m for m in facts["models"] if m["name"] == "tiny")
    assert model["bands"] == ["VV", "VH"] and model["classes"][0]["value"] == 10
    raster = json.loads(cli("info", make_raster(scene_db(20, 20)), "--progress", "json")[1])["raster"]
    assert (raster["width"], raster["crs"], raster["units"]) == (20, "EPSG:32630", "db")
    assert "Tiny, random weights" in cli("info", "tiny")[1]
    assert cli("info", "neither")[0] == 1


def test_info_loads_a_model_when_asked_to_check_it(cli, tiny_model, monkeypatch, tmp_path):
    assert cli("info", str(tiny_model), "--check")[0] == 0
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_model, damaged)
    with (damaged / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert cli("info", str(damaged))[0] == 0, "the card alone is in order"
    code, out, _ = cli("info", str(damaged), "--check", "--progress", "json")
    assert code == 1 and "SHA-256" in json.loads(out.splitlines()[-1])["message"]
    code, out, _ = cli("info", str(tmp_path), "--check", "--progress", "json")
    assert code == 1 and "model.safetensors" in json.loads(out.splitlines()[-1])["hint"]


@pytest.fixture
def long_run(make_raster, scene_db, tiny_model, worker_environment, repo_root, tmp_path):
    """A process at work on a scene that takes long, with an older output in place."""
    scene = make_raster(np.tile(scene_db(500, 500), (1, 4, 4)))
    output = tmp_path / "out.tif"
    output.write_bytes(b"older")
    command = [sys.executable, "-m", "backend", "attention", str(scene), str(output), "--model", str(tiny_model)]
    process = subprocess.Popen(
        [*command, "--overwrite", "--progress", "json", "--batch-size", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=repo_root,
        env=worker_environment,
    )
    for line in process.stdout:
        if json.loads(line)["event"] == "progress":
            break
    yield process, output
    process.kill()
    process.communicate()


def left_behind(output: Path) -> list[str]:
    return sorted(p.name for p in output.parent.iterdir() if p.name.startswith(".") or p.suffix in (".qml", ".xml"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "stdin"])
def test_a_cancelled_run_ends_soon_and_leaves_the_older_file(long_run, how):
    process, output = long_run
    began = time.monotonic()
    if how == "stdin":
        process.stdin.close()
        process.stdin = None
    else:
        process.send_signal(getattr(signal, how))
    out, err = process.communicate(timeout=20)
    # 1 s on a quiet machine; the run itself would take minutes.
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "Traceback" not in err
    assert output.read_bytes() == b"older"
    assert left_behind(output) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_run_leaves_the_older_file_and_the_next_one_tidies_up(
    long_run, cli, make_raster, scene_db, tiny_model
):
    process, output = long_run
    process.kill()
    process.wait()
    assert output.read_bytes() == b"older"
    assert len(left_behind(output)) == 2  # its lock and its part
    scene = make_raster(scene_db(20, 20), "small.tif")
    assert cli("attention", scene, output, "--model", tiny_model, "--overwrite", "--progress", "none")[0] == 0
    assert [name for name in left_behind(output) if "sardino" in name] == []


def test_help_and_refusals_do_not_wait_for_pytorch(worker_environment, repo_root):
    code = (
        "import sys; from backend.__main__ import main; main(['landcover', 'no.tif', 'o.tif', '--progress', 'none']);"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, env=worker_environment, capture_output=True)
    assert done.returncode == 0, done.stderr
