"""Run a whole study on a small labelled folder: outputs, resuming and refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.network.vit import build_backbone
from tests.support.blocks import small_model, write_blocks
from training.data.dataset import ChipFolder
from training.dino.backbone import save_backbone
from training.run.config import resolve
from training.study.__main__ import main, parse
from training.study.curve import ARMS
from training.study.material import load_material
from training.study.probes import DESCRIPTIONS, PROBES
from training.study.settings import PARTS, StudyConfig

TOML = """
title = "Blocks <script>"
[[classes]]
value = 10
name = "Tree | <b>cover</b>"
color = "#006400"
[[classes]]
value = 80
name = "Water $a$ $^"
color = "#0064c8"
"""
SETTINGS = [
    "tile=32", "curve.fractions=[0.5,1.0]", "curve.seeds=[0,1]", "curve.longer=2.0", "patch.tiles=20", "pictures=2",
    "patch.train_patches=200", "patch.test_patches=200", "patch.trees=5", "patch.seeds=[0]", "forest.trees=5",
    "finetune.tile=32", "finetune.steps=3", "finetune.batch=2", "finetune.device=cpu", "jobs=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a labelled data folder and the folder of a pre-training run without training."""
    root = tmp_path_factory.mktemp("study")
    names = [f"s{i}" for i in range(8)]
    write_blocks(root / "data", names)
    (root / "data" / "dataset.toml").write_text(TOML)
    rows = [f"{name},{i // 2},{'train' if i < 6 else 'test'}" for i, name in enumerate(names)]
    (root / "data" / "splits.csv").write_text("\n".join(["name,group,split", *rows]) + "\n")
    torch.manual_seed(0)
    model = small_model()
    (root / "run").mkdir()
    save_backbone(root / "run", build_backbone(model.arch, 2, model.tile, model.patch), model, step=1, steps=1)
    return root


def command(folder: Path, out: Path, *more: str) -> list[str]:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return ["--model", str(folder / "run"), "--data", str(folder / "data"), "--out", str(out), *settings, *more]


@pytest.fixture(scope="module")
def done(folder: Path) -> Path:
    out = folder / "out"
    assert main(command(folder, out, "--quick")) == 0
    return out


def test_every_question_has_its_figures(done: Path) -> None:
    results = json.loads((done / "results.json").read_text())
    cells = results["cells"]
    assert {key.split("/")[0] for key in cells} == set(PARTS)
    for arm in ARMS:
        scores = [cells[f"curve/{arm}/{share}/{seed}"] for share in ("0.5", "1") for seed in (0, 1)]
        assert [score["chips"] for score in scores] == [3, 3, 6, 6]
        assert all(0 <= score["mean_iou"] <= 1 for score in scores)
    # Levels alone tell these classes apart, so that a forest of them is right.
    assert cells["curve/random forest on backscatter/1/0"]["mean_iou"] > 0.9
    assert len([key for key in cells if key.startswith("probes/")]) == len(DESCRIPTIONS) * len(PROBES)
    assert results["facts"]["train_regions"] == 3 and results["facts"]["test_regions"] == 1
    assert results["config"]["curve"]["seeds"] == [0, 1]


def test_networks_learn_without_the_random_gain_of_the_folder(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(folder / "data", data)
    (data / "dataset.toml").write_text("level_jitter_db = 30.0\n" + TOML)
    (bands, config) = small_model().bands, resolve(StudyConfig, {"tile": 32})
    assert ChipFolder(data, bands, "train")[0].level_jitter_db == 30.0
    material = load_material(data, bands, config)
    assert {chip.level_jitter_db for chip in (*material.train, *material.test)} == {0.0}
    assert material.fingerprint == load_material(folder / "data", bands, config).fingerprint


def test_the_report_shows_figures_and_no_code_of_a_users_file(done: Path) -> None:
    text, page = ((done / name).read_text() for name in ("report.md", "report.html"))
    results = json.loads((done / "results.json").read_text())["cells"]
    runs = [results[f"curve/DINO, fine-tuned/1/{seed}"]["mean_iou"] for seed in (0, 1)]
    assert f"{np.mean(runs):.3f} ± {np.std(runs, ddof=1):.3f}" in text
    assert text.count("\n## ") == len(PARTS) + 2  # and pictures, and settings
    pictures = sorted(path.name for path in (done / "figures").iterdir())
    assert len(pictures) == 5 and page.count("data:image/png;base64,") == 5 and 'src="figures' not in page
    assert "<script" not in page and "<b>" not in page and "<table>" in page


def test_a_study_goes_on_where_it_was_and_gives_the_same(folder: Path, done: Path, tmp_path: Path) -> None:
    before = (done / "results.json").read_text()
    cells = sorted((done / "cells").iterdir())
    kept = {path: path.stat().st_mtime_ns for path in cells}
    gone = [
        path for path in cells if path.name.startswith(("curve-DINO-fine-tuned-1-0", "probes-DINO-tokens-logistic"))
    ]
    assert len(gone) == 2
    for path in gone:
        path.unlink()
    assert main(command(folder, done, "--quick", "--resume")) == 0
    assert (done / "results.json").read_text() == before
    assert all(path.stat().st_mtime_ns == kept[path] for path in cells if path not in gone)


def test_parts_can_be_added_later(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "some"
    assert main(command(folder, out, "--quick", "--set", 'parts=["position"]', "--set", "pictures=0")) == 0
    assert [line for line in (out / "report.md").read_text().splitlines() if line.startswith("## ")] == [
        "## Does a token know its position?",
        "## Settings",
    ]
    more = command(folder, out, "--quick", "--resume", "--set", 'parts=["position", "clusters"]', "--set", "pictures=0")
    assert main(more) == 0
    assert "k-means" in (out / "report.md").read_text()


def test_refusals(folder: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        assert main(list(words)) == 1
        return capsys.readouterr().err

    assert "holds a run already" in refused(*command(folder, done, "--quick"))
    assert "other settings: curve.seeds" in refused(
        *command(folder, done, "--quick", "--resume", "--set", "curve.seeds=[3]")
    )
    assert "No run to resume" in refused(*command(folder, tmp_path / "new", "--quick", "--resume"))
    assert "not a multiple" in refused(*command(folder, tmp_path / "new", "--quick", "--set", "tile=30"))
    other = tmp_path / "data"
    write_blocks(other, ["a", "b"])
    (other / "dataset.toml").write_text(TOML)
    (other / "splits.csv").write_text("name,group,split\na,1,train\nb,2,train\n")
    words = ["--model", str(folder / "run"), "--data", str(other), "--out", str(tmp_path / "new")]
    assert 'Give it "train" and "test"' in refused(*words)
    (other / "splits.csv").write_text("name,group,split\na,1,train\nb,2,test\n")
    write_blocks(other, ["a", "b"], block=1)
    words = [*command(folder, tmp_path / "new", "--quick", "--data", str(other)), "--set", 'parts=["heads"]']
    assert "cover whole patches of 8 pixels: none; in the test tiles: none" in refused(*words)
    assert "other data" in refused(*command(folder, done, "--quick", "--resume", "--data", str(other)))


def test_a_trial_has_a_recipe_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--model", "m", "--data", "d", "--out", "o", "--quick", "--recipe", "mine.toml"])
    assert end.value.code == 2 and "--recipe: not allowed with argument --quick" in capsys.readouterr().err
