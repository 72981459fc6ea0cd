"""Test the command `train` from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_geom

from backend.__main__ import main
from backend.card.registry import model_folder
from backend.network.weights import load_model
from tests.support.geotiffs import write
from tests.support.samples import DEGREES, UTM, collection, feature, square
from training.ownclasses import main as old_main

SIZE = 160


@pytest.fixture
def scene(tmp_path):
    """A raster with water left, forest right and nodata at the bottom; samples with eight polygons of each."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1.5, (2, SIZE, SIZE)) + np.array([-8.0, -14.0])[:, None, None]
    values[:, :, : SIZE // 2] -= 13
    values[:, -10:] = np.nan
    raster = write(tmp_path / "scene.tif", values.astype(np.float32), ("VV", "VH"), **UTM)
    features = [
        feature(transform_geom("EPSG:32633", "EPSG:4326", square(5e5 + x, 5e6 - y, 60)), name)
        for name, x in (("water", 300), ("forest", 1100))
        for y in range(20, 1540, 200)
    ]
    samples = tmp_path / "s.geojson"
    samples.write_text(json.dumps(collection(features)))
    return raster, samples


def test_train_writes_a_model_that_maps(scene, tmp_path, capsys):
    raster, samples = scene
    legend = tmp_path / "legend.json"
    legend.write_text('{"water": {"name": "Lake", "color": "#0000ff"}}')
    out = tmp_path / "own"
    out.mkdir()  # an empty folder may be there
    call = ["train", str(raster), str(out), "--samples", str(samples), "--field", "cover", "--title", "Mine"]
    call += ["--legend", str(legend)]
    assert main([*call, "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    result = events[-1]
    assert result["event"] == "result" and result["outputs"] == {"output": str(out)}
    assert result["held_out"]["overall_accuracy"] > 0.95 and result["held_out"]["blocks"] >= 2
    assert result["held_out"]["classes"]["2 Lake"]["blocks"] >= 2
    assert any("Few samples of forest (8), Lake (8)" in e["message"] for e in events if e["event"] == "log")
    done = [(e["done"], e["total"]) for e in events if e["event"] == "progress"]
    assert done[-1][0] == done[-1][1] and [d for d, _ in done] == sorted(d for d, _ in done)
    card = load_model(out)[1]
    assert not card.allows_missing_bands
    assert card.title == "Mine" and [c.name for c in card.classes] == ["forest", "Lake"]
    assert card.classes[1].color == "#0000ff" and card.metrics["samples"]["2 Lake"]["samples"] == 8
    assert len(card.limits) == 1 and not card.allows_missing_bands  # its own, not those of the backbone's model
    first = (out / "model.safetensors").read_bytes()
    assert main(call) == 1 and "add --overwrite" in capsys.readouterr().err
    assert main([*call, "--overwrite"]) == 0
    assert (out / "model.safetensors").read_bytes() == first  # equal runs, equal bytes
    assert {p.name for p in tmp_path.iterdir()} == {"own", "scene.tif", "s.geojson", "legend.json"}
    assert main(["landcover", str(raster), str(tmp_path / "map.tif"), "--model", str(out)]) == 0
    with rasterio.open(tmp_path / "map.tif") as file:
        values = file.read(1)
    assert (values[:140, :75] == 2).mean() > 0.98 and (values[:140, 85:] == 1).mean() > 0.98
    assert not values[-10:].any()


def test_a_model_of_one_polarisation_maps_with_it(scene, tmp_path):
    raster, samples = scene
    out, one = tmp_path / "own", ["--bands", "1", "0", "--progress", "none"]
    learn = ["train", str(raster), str(out), "--samples", str(samples), "--field", "cover"]
    assert main([*learn, *one, "--no-check"]) == 0
    assert load_model(out)[1].allows_missing_bands
    assert main(["landcover", str(raster), str(tmp_path / "map.tif"), "--model", str(out), *one]) == 0
    with rasterio.open(tmp_path / "map.tif") as file:
        values = file.read(1)
    assert (values[:140, :75] == 2).mean() > 0.95 and (values[:140, 85:] == 1).mean() > 0.95


def test_an_extent_teaches_and_maps_as_the_whole_raster(scene, tmp_path, tiny_model):
    raster, samples = scene
    quiet = ["--device", "cpu", "--progress", "none"]
    # All samples lie within, and no edge is one of a tile.
    extent = ["--extent", *map(str, (5e5 + 170, 5e6 - 1510, 5e5 + 1290, 5e6 - 10))]
    call = ["train", str(raster), "--samples", str(samples), "--field", "cover", "--no-check", "--model"]
    for name, more in (("whole", []), ("part", extent)):
        assert main([*call, str(tiny_model), str(tmp_path / name), *quiet, *more]) == 0
        run = ["landcover", str(raster), str(tmp_path / f"{name}.tif"), "--model", str(tmp_path / "whole")]
        assert main([*run, *quiet, *more]) == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "part")]
    assert weights[0] == weights[1]
    with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / "part.tif") as file:
        assert np.array_equal(whole.read(1)[1:151, 17:129], file.read(1))


def test_samples_outside_the_extent_are_not_learnt(scene, tmp_path, capsys, tiny_model):
    raster, samples = scene
    extent = ["--extent", *map(str, (5e5, 5e6 - 1600, 5e5 + 1000, 5e6))]  # water only, forest within the same tiles
    call = ["train", str(raster), str(tmp_path / "own"), "--samples", str(samples), "--field", "cover"]
    assert main([*call, "--model", str(tiny_model), "--device", "cpu", *extent]) == 1
    assert "Classes of the samples: 1 (water)" in capsys.readouterr().err


def test_samples_elsewhere_and_of_one_class_are_refused(scene, tmp_path, capsys):
    raster, samples = scene
    document = json.loads(samples.read_text())
    call = ["train", str(raster), str(tmp_path / "own"), "--samples", str(samples), "--field", "cover"]
    samples.write_text(json.dumps(collection(document["features"][:8])))
    assert main(call) == 1 and "Classes of the samples: 1 (water)" in capsys.readouterr().err
    samples.write_text(json.dumps(collection([feature(DEGREES, "a"), feature(DEGREES, "b")])))
    assert main(call) == 1 and "No sample lies within" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()


def test_a_missing_package_is_refused_in_one_line(scene, tmp_path):
    raster, samples = scene
    program = "import sys; sys.modules['sklearn'] = None; from backend.__main__ import main; sys.exit(main())"
    call = [sys.executable, "-c", program, "train", str(raster), str(tmp_path / "own"), "--samples", str(samples)]
    done = subprocess.run([*call, "--field", "cover"], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert (
        done.returncode == 1 and "sklearn is not installed here" in done.stderr and "Set up the backend" in done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_the_folder_of_the_backbone_is_never_replaced(scene, capsys):
    raster, samples = scene
    call = ["train", str(raster), str(model_folder(None)), "--samples", str(samples), "--field", "cover", "--overwrite"]
    assert main(call) == 1 and "provides the backbone" in capsys.readouterr().err


def test_the_old_module_forwards_with_a_warning(scene, tmp_path, capsys):
    raster, samples = scene
    words = [str(raster), str(tmp_path / "own"), "--samples", str(samples), "--field", "cover", "--no-check"]
    assert old_main([*words, "--progress", "json"]) == 0
    out, err = capsys.readouterr()
    assert "python -m backend train" in err and json.loads(out.splitlines()[-1])["event"] == "result"
