"""Use models of other bands, seasons and coherence, from pre-training to a map."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend.card.model_card import Band, ModelCard
from backend.core.errors import InputError
from tests.support.geotiffs import PLACED, toml, write
from training import pretrain
from training.data.dataset import ChipFolder
from training.finetune import main as finetune_main
from training.pretrain import main as pretrain_main

ROOT = Path(pretrain.__file__).resolve().parents[1]
STACK = tuple(
    Band(f"{polarisation}_{season}", "db", (-35.0, 5.0), level, 5.0)
    for season in ("winter", "spring", "summer", "autumn")
    for polarisation, level in (("VV", -12.0), ("VH", -19.0))
)
COHERENT = (
    Band("VV", "db", (-30.0, 5.0), -12.0, 5.0),
    Band("VH", "db", (-35.0, 0.0), -19.0, 5.0),
    Band("coh_VV", "coherence", (0.0, 1.0), 0.5, 0.25),
)
SIZES = """
[model]
arch = { timm = "vit_tiny_patch16_224", embed_dim = 16, depth = 2, heads = 2 }
patch = 8
tile = 16
"""
REST = """
[crops]
window = 32
global_size = 16
local_size = 8
local_count = 2
speckle = 1.0
band_drop = 0.5
[dino]
out_dim = 16
hidden_dim = 16
bottleneck_dim = 8
[optim]
steps = 2
batch = 4
[run]
device = "cpu"
"""
LEGEND = """
[[classes]]
value = 10
name = "Tree cover"
color = "#006400"
[[classes]]
value = 80
name = "Water"
color = "#0064c8"
"""


def recipe(path: Path, bands: tuple[Band, ...]) -> Path:
    lines = ", ".join(
        f'{{ name = "{b.name}", unit = "{b.unit}", clip = {list(b.clip)}, mean = {b.mean}, std = {b.std} }}'
        for b in bands
    )
    path.write_text(f"{SIZES}bands = [{lines}]\n{REST}")
    return path


def image(bands: tuple[Band, ...], water: np.ndarray, seed: int, linear: bool) -> np.ndarray:
    """Make an image of trees and water, which differ in backscatter and coherence."""
    rng = np.random.default_rng(seed)
    planes = []
    for band in bands:
        if band.unit == "coherence":
            planes.append(np.clip(np.where(water, 0.15, 0.6) + rng.normal(0, 0.05, water.shape), 0, 1))
            continue
        level = band.mean + np.where(water, -7, 3) + rng.normal(0, 1.5, water.shape)
        planes.append(10 ** (level / 10) if linear else level)
    return np.stack(planes).astype(np.float32)


def folder(root: Path, bands: tuple[Band, ...], linear: bool) -> Path:
    """Write three labelled images; band names are in lower case and in another order than the model's."""
    toml(root, LEGEND)
    for seed in range(3):
        water = np.zeros((48, 48), dtype=bool)
        water[:, 10 * (seed + 1) :] = True
        values = image(bands, water, seed, linear)[::-1]
        names = [band.name.lower() for band in reversed(bands)]
        write(root / "images" / f"{seed}.tif", values, names, **PLACED)
        write(root / "labels" / f"{seed}.tif", np.where(water, 80, 10).astype(np.uint8), **PLACED)
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("bands", "linear"), [(STACK, True), (COHERENT, False)], ids=["seasons", "coherence"])
def test_from_pre_training_to_a_map(tmp_path, bands, linear, capsys):
    data = folder(tmp_path / "data", bands, linear)
    run, model = tmp_path / "run", tmp_path / "model"
    settings = ["--recipe", str(recipe(tmp_path / "r.toml", bands)), "--data", str(data), "--out", str(run)]
    assert pretrain_main(settings) == 0
    names = " ".join(band.name for band in bands)
    assert f"3 files, {names}, {'linear power' if linear else 'dB'}, 10 m" in capsys.readouterr().err
    small = ["steps=2", "val_every=2", "tile=32", "head_dim=8", "batch=2", "device=cpu", "name=stack"]
    tuned = ["--backbone", str(run), "--data", str(data), "--out", str(model)]
    assert finetune_main([*tuned, *(word for setting in small for word in ("--set", setting))]) == 0
    card = ModelCard.load(model / "card.json")
    assert card.bands == bands and json.loads((run / "backbone.json").read_text())["bands"][0]["name"] == bands[0].name
    output = tmp_path / "map.tif"
    words = ["landcover", str(data / "images" / "1.tif"), str(output), "--model", str(model), "--device", "cpu"]
    done = subprocess.run([sys.executable, "-m", "backend", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"values: {'linear_power' if linear else 'db'}" in done.stdout + done.stderr
    with rasterio.open(output) as file:
        assert set(np.unique(file.read(1))) <= {10, 80}


def test_coherence_reaches_the_network_as_it_is(tmp_path):
    data = folder(tmp_path, COHERENT, linear=True)
    chip = ChipFolder(data, COHERENT)[0]
    assert chip.valid.all() and chip.db[2].min() >= 0 and chip.db[2].max() <= 1
    assert chip.db[0].min() < -15
    np.testing.assert_allclose(chip.db[2], image(COHERENT, chip.label == 80, 0, True)[2])


def test_coherence_out_of_range_or_declared_as_db_is_refused(tmp_path):
    values = image(COHERENT, np.zeros((48, 48), dtype=bool), 0, False)
    values[2] *= 100
    write(tmp_path / "a.tif", values, ("VV", "VH", "coh_VV"), **PLACED)
    with pytest.raises(InputError, match=r"a\.tif: Coherence is between 0 and 1"):
        ChipFolder(tmp_path, COHERENT)
    toml(tmp_path, '[[bands]]\nname = "VV"\n[[bands]]\nname = "VH"\n[[bands]]\nname = "coh_VV"\nunit = "db"\n')
    with pytest.raises(InputError, match="coh_VV as db, the model wants coherence"):
        ChipFolder(tmp_path, COHERENT)
