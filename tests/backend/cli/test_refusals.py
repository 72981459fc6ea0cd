"""Test refusals: one line with a hint, and no files left."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio


def truncated(make, scene):
    path = make(scene(400, 400), compress="deflate")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def cut_data(make, scene):
    """A raster with a complete header whose data end in the middle."""
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


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """Work inside the temporary folder, so that relative names lead there."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("command", ["landcover", "attention", "embed", "similarity"])
def test_bad_input_is_refused_and_leaves_nothing(kind, command, cli, make_raster, scene_db, tiny_model):
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
@pytest.mark.usefixtures("inside")
def test_bad_options_are_refused_in_one_line(options, cli, make_raster, scene_db, tiny_model, tmp_path):
    from backend.engines.pytorch import available_devices

    absent = next(device for device in ("mps", "cuda") if device not in available_devices())
    options = [absent if option == "missing" else option for option in options]
    make_raster(scene_db(20, 20))
    code, _, err = cli("landcover", "scene.tif", "out.tif", "--model", tiny_model, "--progress", "none", *options)
    assert code == 1 and len(err.splitlines()) == 1 and " hint: " in err
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["scene.tif"]


def test_an_unexpected_exception_is_one_line(cli, make_raster, scene_db, tiny_model, monkeypatch, tmp_path):
    from backend.network.vit import SarViT

    def fail(self, x):
        raise ZeroDivisionError("by\nnought")

    monkeypatch.setattr(SarViT, "forward", fail)
    scene = make_raster(scene_db(20, 20))
    words = ("--model", tiny_model, "--engine", "pytorch", "--progress", "none")
    code, _, err = cli("landcover", scene, tmp_path / "o.tif", *words)
    assert code == 1 and len(err.splitlines()) == 1 and "ZeroDivisionError" in err
    assert not (tmp_path / "o.tif").exists()


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


def test_refusals_do_not_import_pytorch(worker_environment, repo_root, tmp_path):
    command = ["landcover", "no.tif", str(tmp_path / "o.tif"), "--progress", "none"]
    code = f"import sys; from backend.__main__ import main; main({command}); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, env=worker_environment, capture_output=True)
    assert done.returncode == 0, done.stderr
