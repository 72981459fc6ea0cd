"""Test a pre-training: outputs, training and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from safetensors.torch import load_file

from backend.core.errors import InputError, ModelError
from tests.support.pretraining import ALONE, command, config_of, tensors, write_scene
from training.dino.backbone import load_backbone
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches
from training.draws.store import ChipStore
from training.pretrain import main, pretrain
from training.run.command_line import RunOptions
from training.run.log import COLUMNS, read_log
from training.views.crops import ViewPlan
from training.views.maker import ViewMaker, Views


def test_a_run_leaves_its_settings_log_checkpoint_and_backbone(recipe: Path, data: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(command(recipe, data, run, "optim.steps=5")) == 0
    log = read_log(run / "log.csv")
    assert tuple(log) == COLUMNS and log["step"] == [0, 1, 2, 3, 4]
    assert np.isfinite(list(log.values())).all()
    facts = json.loads((run / "backbone.json").read_text())
    assert [b["name"] for b in facts["bands"]] == ["VV", "VH"] and facts["arch"]["embed_dim"] == 16
    assert json.loads((run / "config.json").read_text())["config"]["optim"]["steps"] == 5
    teacher = {k: v for k, v in tensors(run).items() if k.startswith("network.teacher.backbone.")}
    exported = load_file(run / "backbone.safetensors")
    assert all(torch.equal(teacher[f"network.teacher.backbone.{k}"], v) for k, v in exported.items())
    backbone, _ = load_backbone(run, tile=32)
    assert backbone(torch.zeros(1, 2, 32, 32)).shape == (1, 16)
    assert not [p for p in run.rglob("*") if p.suffix in (".pt", ".pth", ".pkl", ".tmp")]


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(
    recipe: Path, data: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, made = ViewMaker.make, []

    def make(self: ViewMaker, plan: ViewPlan) -> Views:
        views = real(self, plan)
        made.append(plan)
        return views._replace(groups=[g * float("nan") for g in views.groups]) if len(made) == 4 else views

    monkeypatch.setattr(ViewMaker, "make", make)
    run = tmp_path / "run"
    assert main(command(recipe, data, run, "run.checkpoint_every_s=0")) == 1
    assert "Step 3" in capsys.readouterr().err
    assert json.loads((run / "checkpoint" / "state.json").read_text())["step"] == 3
    assert all(bool(torch.isfinite(t.float()).all()) for t in tensors(run).values())


def test_the_last_layer_is_frozen_first(data: list[Path]) -> None:
    config = config_of()
    trainer = Trainer(config, ALONE)
    batches = StepBatches(ChipStore(data, config.model.bands, 1.0), config)
    layer = trainer.pair.student.head.last_layer.direction
    states = [layer.detach().clone()]
    for step in range(3):
        trainer.step(step, batches[step])
        states.append(layer.detach().clone())
    assert [torch.equal(a, b) for a, b in zip(states, states[1:])] == [True, True, False]
    assert all(p.grad is None for p in trainer.pair.teacher.parameters())


def test_the_teacher_learns_to_tell_scenes_apart(tmp_path: Path) -> None:
    for i, level in enumerate((-22, -18, -14, -10, -6, -2)):
        write_scene(tmp_path / "levels" / f"{i}.tif", ("VV", "VH"), i)
        with rasterio.open(tmp_path / "levels" / f"{i}.tif", "r+") as file:
            noise = np.random.default_rng(i).normal(0, 0.01, (2, 48, 48))
            file.write((np.array([level, level - 7])[:, None, None] + noise).astype(np.float32))
    config = config_of(
        "optim.steps=60", "optim.batch=16", "optim.base_lr=0.016", "dino.momentum=0.98", "crops.band_drop=0"
    )
    trainer = Trainer(config, ALONE)
    batches = StepBatches(ChipStore([tmp_path / "levels"], config.model.bands, 1.0), config)
    health = []
    for step in range(60):
        trainer.step(step, batches[step])
        health.append(trainer.health())
    assert np.mean([h["information"] for h in health[-10:]]) > 0.3  # nats; 0 where the teacher has collapsed
    assert np.mean([h["spread"] for h in health[-10:]]) > 0.2  # about 0.02 where it has


def test_refusals_name_what_to_do(recipe: Path, data: list[Path], tmp_path: Path) -> None:
    run, config = tmp_path / "run", config_of("optim.steps=1")
    with pytest.raises(InputError, match="No run to resume"):
        pretrain(config, data, run, RunOptions(resume=True))
    pretrain(config, data, run)
    with pytest.raises(InputError, match="holds a run already"):
        pretrain(config, data, run)
    with pytest.raises(InputError, match="other settings: optim.batch"):
        pretrain(config_of("optim.steps=1", "optim.batch=8"), data, run, RunOptions(resume=True))
    with pytest.raises(InputError, match=r"other data \(missing: single/0, single/1, single/2\)"):
        pretrain(config, data[:1], run, RunOptions(resume=True))
    (data[0] / "1.tif").rename(data[0] / "4.tif")
    with pytest.raises(InputError, match=r"other data \(missing: dual/1; new: dual/4\)") as refusal:
        pretrain(config, data, run, RunOptions(resume=True))
    assert "Put the files back" in refusal.value.hint
    (data[0] / "4.tif").rename(data[0] / "1.tif")
    with pytest.raises(InputError, match="No raster"):
        pretrain(config, [tmp_path / "nothing"], tmp_path / "other")
    with pytest.raises(InputError, match="with 3 processes"):
        StepBatches(ChipStore(data, config.model.bands, 1.0), config, 0, 3)
    with pytest.raises(ModelError, match="No readable backbone"):
        load_backbone(tmp_path, 16)
    assert main(command(recipe, data, tmp_path / "bad", "optim.stepz=3")) == 1
