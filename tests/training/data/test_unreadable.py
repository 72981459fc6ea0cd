"""Name, count and leave out images that can't be read, or refuse them with --strict."""

from __future__ import annotations

import os

import numpy as np
import pytest

from backend.core.errors import InputError, UnreadableError
from tests.support import two_classes
from tests.support.geotiffs import BANDS, PLACED, land, write
from training.data.dataset import ChipFolder
from training.draws.store import ChipStore
from training.finetune import finetune
from training.landcover.data import load_data
from training.pretrain import main, pretrain
from training.run.config import load_recipe, override, resolve
from training.run.finetune_config import FinetuneConfig
from training.run.pretrain_config import CropConfig, PretrainConfig

TINY = [
    'model.arch={timm="vit_tiny_patch16_224",embed_dim=16,depth=1,heads=2}', "model.patch=8", "model.tile=32",
    "optim.steps=1", "optim.batch=2", "run.device=cpu", "run.workers=0", "monitor.every=0",
]  # fmt: skip


def damage(path):
    os.truncate(path, path.stat().st_size // 2)


@pytest.fixture
def folder(tmp_path):
    """Write three readable images, a text file, and a truncated image."""
    for number in range(4):
        write(tmp_path / "data" / f"{number}.tif", land(number, 96), ("VV", "VH"), **PLACED)
    damage(tmp_path / "data" / "3.tif")
    (tmp_path / "data" / "notes.tif").write_text("no raster")
    return tmp_path / "data"


def test_pre_training_goes_on_without_them(folder, tmp_path, capsys):
    sets = [part for setting in TINY for part in ("--set", setting)]
    command = ["--recipe", "cpu_small", "--data", str(folder), "--out", str(tmp_path / "run"), *sets]
    assert main([*command, "--strict"]) == 1
    said = capsys.readouterr().err
    assert "2 of 5 images" in said and "3.tif" in said and not (tmp_path / "run").exists()
    assert main(command) == 0
    said = capsys.readouterr().err
    assert f"{folder}: 2 of 5 images can't be read and are left out" in said
    assert "3.tif is not a raster" in said and "notes.tif is not a raster" in said
    assert f"{folder}: 3 files" in said


def test_a_call_leaves_out_what_the_command_does(folder, tmp_path):
    config = resolve(PretrainConfig, override(load_recipe("cpu_small"), TINY))
    pretrain(config, [folder], tmp_path / "run")
    assert (tmp_path / "run" / "backbone.json").is_file()
    (tmp_path / "labelled").mkdir()
    data = two_classes.make_folder(tmp_path / "labelled")
    damage(data / "images" / "0.tif")
    small = resolve(FinetuneConfig, override({}, [*two_classes.SMALL, "steps=1"]))
    assert finetune("none", [data], tmp_path / "model", small).name == "my-model"


def test_nothing_readable_is_refused(folder):
    for number in range(3):
        damage(folder / f"{number}.tif")
    with pytest.raises(UnreadableError, match="5 of 5 images") as refusal:
        ChipFolder(folder, BANDS, strict=False)
    assert refusal.value.hint


def test_files_that_do_not_fit_are_refused_all_the_same(folder):
    write(folder / "other.tif", np.zeros((2, 9, 9), np.float32), ("red", "green"))
    with pytest.raises(InputError, match="other.tif has bands named"):
        ChipFolder(folder, BANDS, strict=False)


def test_fine_tuning_leaves_out_unreadable_images_and_labels(tmp_path, capsys):
    data = two_classes.make_folder(tmp_path)
    damage(data / "images" / "0.tif")
    (data / "labels" / "1.tif").write_text("no raster")
    with pytest.raises(UnreadableError, match="1 of 10 images.*0.tif"):
        load_data([data], BANDS, FinetuneConfig())
    found = load_data([data], BANDS, FinetuneConfig(), strict=False)
    assert (len(found.train), len(found.val)) == (5, 3)
    said = capsys.readouterr().err
    assert said.count("left out") == 2 and said.count("images/0.tif") == 1 and said.count("labels/1.tif can't") == 1
    damage(data / "images" / "2.tif")
    assert two_classes.run(data, tmp_path / "m", "steps=1") == 0
    assert two_classes.main([*two_classes.command(data, tmp_path / "n", "steps=1"), "--strict"]) == 1
    assert "2 of 10 images" in capsys.readouterr().err


def test_an_image_lost_during_a_run_is_left_out_of_its_draws(tmp_path, capsys):
    for number in range(3):
        write(tmp_path / f"{number}.tif", land(number, 96), ("VV", "VH"), **PLACED)
    stores = [ChipStore([tmp_path], BANDS, 0.0, strict=strict) for strict in (True, False)]
    os.truncate(tmp_path / "1.tif", 2000)
    crops = CropConfig(window=48)
    rngs = [np.random.default_rng(0) for _ in range(2)]
    draws = [[store.draw(crops, rng).dates[0] for _ in range(20)] for store, rng in zip([stores[1]] * 2, rngs)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*draws)), "what is drawn depends on the seed alone"
    assert capsys.readouterr().err.count("1 of 3 images can't be read") == 1
    with pytest.raises(UnreadableError, match="1.tif"):
        for _ in range(20):
            stores[0].draw(crops, np.random.default_rng(_))
