"""The command that compares backbones by probes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.card.arch import Arch
from backend.core.errors import InputError
from backend.network.vit import build_backbone, build_model
from backend.network.weights import save_model
from tests.backend.conftest import tiny_card
from tests.support.blocks import small_model, write_blocks
from training.dino.backbone import load_backbone, save_backbone
from training.monitor.labelled_patches import LabelledPatches
from training.probe import main
from training.run.common_config import ModelConfig


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("probe")
    write_blocks(root / "data", "abcdef", side=52)  # the last four rows and columns are no whole patch
    conv = ModelConfig(Arch("vit_tiny_patch16_224", 32, 2, 2, stem="conv", positions="none"), 8, 32)
    for name, model in (("plain", small_model()), ("conv", conv)):
        torch.manual_seed(5)
        (root / name).mkdir()
        save_backbone(root / name, build_backbone(model.arch, 2, model.tile, model.patch), model, step=3, steps=3)
    return root


def test_runs_are_scored_beside_backscatter_and_random_weights(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.json"
    runs = [str(place / "plain"), str(place / "conv")]
    assert main([*runs, "--data", str(place / "data"), "--folds", "3", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert [run["origin"] for run in found["runs"]] == ["DINO pre-training, step 3 of 3"] * 2 and found["folds"] == 3
    for run in found["runs"]:
        assert sum(run["patches"].values()) == 6 * 36 and run["groups"] == 6
        for name in ("tokens", "with_statistics", "statistics"):
            assert run[name]["linear"] > 0.9 and run[name]["neighbours"] > 0.7  # the classes differ by 16 dB
        assert all(v["lowest"] <= v["mean"] <= v["highest"] for v in run["random"].values())
    assert found["runs"][0]["statistics"] == found["runs"][1]["statistics"]
    said = capsys.readouterr().out
    assert said.count("random weights") == 2 and "216 patches of 2 classes in 6 groups" in said


def test_a_model_is_scored_by_the_tokens_of_its_backbone(place: Path, tmp_path: Path) -> None:
    card = tiny_card(tile=32, arch=small_model().arch)
    model = build_model(card)
    model.backbone.load_state_dict(load_backbone(place / "plain", card.tile)[0].state_dict())
    save_model(tmp_path / "model", model, card)
    found = tmp_path / "scores.json"
    runs = [str(place / "plain"), str(tmp_path / "model")]
    assert main([*runs, "--data", str(place / "data"), "--folds", "3", "--json", str(found)]) == 0
    run, of_model = json.loads(found.read_text())["runs"]
    assert of_model["tokens"] == run["tokens"] and of_model["origin"].startswith("model ")


def test_patches_are_of_whole_chips_and_few_classes_are_left_out(place: Path, tmp_path: Path) -> None:
    bands = small_model().bands
    patches = LabelledPatches(place / "data", bands, 8)
    assert len(patches.classes) == 6 * 36 == len(patches.statistics) and len(np.unique(patches.groups)) == 6
    backbone = build_backbone(small_model().arch, 2, 32, 8).eval()
    assert patches.tokens(backbone).shape == (216, 32)
    fewer = LabelledPatches(place / "data", bands, 8, most=100)
    assert len(fewer.classes) == 100
    write_blocks(tmp_path / "few", "ab", side=32)  # 32 patches of two classes: neither has 30
    with pytest.raises(InputError, match="0 classes with 30 patches"):
        LabelledPatches(tmp_path / "few", bands, 8)


def test_what_is_no_run_is_refused(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--data", str(place / "data")]) == 1
    assert "No backbone in" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(place / "plain"), "--data", str(place / "data"), "--folds", "1"])
