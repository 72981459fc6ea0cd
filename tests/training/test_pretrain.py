import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin
from safetensors.torch import load_file

from backend.core.errors import InputError, ModelError
from tests.support.tiny_network import TINY
from training import pretrain as module
from training.data.batches import StepBatches
from training.data.store import ChipStore
from training.dino.backbone import load_backbone
from training.dino.trainer import Trainer
from training.pretrain import main, pretrain
from training.run.config import load_recipe, override, resolve
from training.run.log import COLUMNS, CollapseAlarm
from training.run.pretrain_config import PretrainConfig
from training.run.workers import World

ROOT = Path(module.__file__).resolve().parents[1]
RECIPE = f"""{TINY}[optim]
steps = 8
batch = 4
base_lr = 0.1
freeze_last_layer = 0.25
[run]
device = "cpu"
log_every = 1
[monitor]
every = 1000
pictures = 1
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


def _scene(path: Path, bands: tuple[str, ...], seed: int, size: int = 48) -> None:
    rng = np.random.default_rng(seed)
    db = rng.normal(-15, 3, (len(bands), size, size)).astype(np.float32)
    db[:, :4] = -9999
    profile = {
        "driver": "GTiff", "width": size, "height": size, "count": len(bands), "dtype": "float32", "nodata": -9999,
        "crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile) as file:
        file.write(db)
        file.descriptions = bands


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    for seed in range(3):
        _scene(tmp_path / "dual" / f"{seed}.tif", ("VV", "VH"), seed)
        _scene(tmp_path / "single" / f"{seed}.tif", ("VV",), seed + 10, 24)
    return [tmp_path / "dual", tmp_path / "single"]


def _config(*settings: str) -> PretrainConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.toml"
        path.write_text(RECIPE)
        return resolve(PretrainConfig, override(load_recipe(str(path)), settings))


def _command(recipe: Path, data: list[Path], out: Path, *more: str) -> list[str]:
    return ["--recipe", str(recipe), "--data", *map(str, data), "--out", str(out), *more]


def _tensors(run: Path) -> dict[str, torch.Tensor]:
    return load_file(next((run / "checkpoint").glob("step-*.safetensors")))


def _assert_same(one: Path, other: Path) -> None:
    first, second = _tensors(one), _tensors(other)
    assert first.keys() == second.keys()
    assert [k for k in first if not torch.equal(first[k], second[k])] == []


def _rows(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_settings_log_checkpoint_and_backbone(recipe: Path, data: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(_command(recipe, data, run, "--set", "optim.steps=5")) == 0
    rows = _rows(run)
    assert tuple(rows[0]) == COLUMNS and [int(r["step"]) for r in rows] == list(range(5))
    assert all(np.isfinite(float(v)) for row in rows for v in row.values())
    facts = json.loads((run / "backbone.json").read_text())
    assert [b["name"] for b in facts["bands"]] == ["VV", "VH"] and facts["arch"]["embed_dim"] == 16
    assert json.loads((run / "config.json").read_text())["config"]["optim"]["steps"] == 5
    teacher = {k: v for k, v in _tensors(run).items() if k.startswith("network.teacher.backbone.")}
    exported = load_file(run / "backbone.safetensors")
    assert all(torch.equal(teacher[f"network.teacher.backbone.{k}"], v) for k, v in exported.items())
    backbone, _ = load_backbone(run, tile=32)
    assert backbone(torch.zeros(1, 2, 32, 32)).shape == (1, 16)
    assert not [p for p in run.rglob("*") if p.suffix in (".pt", ".pth", ".pkl", ".tmp")]


@pytest.mark.parametrize("options", [(), ("dino.centring=sinkhorn", "dino.ibot_weight=1", "dino.koleo_weight=0.1")])
def test_a_stopped_run_resumes_bit_by_bit(
    recipe: Path, data: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    settings = [word for option in options for word in ("--set", option)]
    assert main(_command(recipe, data, straight, *settings)) == 0
    real = Trainer.step

    def step(self: Trainer, number: int, groups: list[torch.Tensor]) -> dict[str, float]:
        if number == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, number, groups)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        assert main(_command(recipe, data, broken, *settings)) == 130
    assert len(_rows(broken)) == 4
    assert main(_command(recipe, data, broken, *settings, "--resume")) == 0
    assert ("loss_ibot" in _rows(broken)[0]) == bool(options)
    _assert_same(straight, broken)
    strip = [{k: v for k, v in row.items() if k != "images_per_s"} for row in _rows(straight)]
    assert strip == [{k: v for k, v in row.items() if k != "images_per_s"} for row in _rows(broken)]


def test_a_killed_run_resumes_bit_by_bit_and_workers_change_nothing(
    recipe: Path, data: list[Path], tmp_path: Path
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    # With what else has a state: mask token, centre of patches, and a head of their own.
    options = ["optim.steps=40", "dino.koleo_weight=0.1", "dino.ibot_weight=1", "dino.ibot_shared_head=false"]
    options = [word for option in options for word in ("--set", option)]
    settings = [*options, "--set", "run.checkpoint_every_s=0"]
    assert main(_command(recipe, data, straight, *options, "--set", "run.workers=1")) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "training.pretrain", *_command(recipe, data, broken, *settings)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (broken / "checkpoint" / "state.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = json.loads((broken / "checkpoint" / "state.json").read_text())["step"]
    assert 0 < done < 40
    assert main(_command(recipe, data, broken, *settings, "--resume")) == 0
    _assert_same(straight, broken)


def test_two_processes_give_the_loss_of_one(recipe: Path, data: list[Path], tmp_path: Path) -> None:
    settings = ["--set", "dino.drop_path=0", "--set", "optim.steps=4"]  # which paths are dropped differs by process
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(_command(recipe, data, one, *settings)) == 0
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        + ["-m", "training.pretrain", *_command(recipe, data, two, *settings)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SARDINO_CACHE": str(tmp_path)},  # so that both look at the data
        check=True,
        capture_output=True,
        timeout=120,
    )
    for first, second in zip(_rows(one), _rows(two)):
        for name in ("loss", "teacher_entropy", "information", "spread", "grad_norm"):
            assert float(first[name]) == pytest.approx(float(second[name]), rel=1e-3, abs=1e-5), name
    centre = "loss.centring.value"
    torch.testing.assert_close(_tensors(one)[centre], _tensors(two)[centre], rtol=1e-3, atol=1e-6)


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(
    recipe: Path, data: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = StepBatches.__getitem__

    def item(self: StepBatches, step: int) -> list[torch.Tensor]:
        groups = real(self, step)
        return [g * float("nan") for g in groups] if step == 3 else groups

    monkeypatch.setattr(StepBatches, "__getitem__", item)
    run = tmp_path / "run"
    assert main(_command(recipe, data, run, "--set", "run.checkpoint_every_s=0")) == 1
    assert "Step 3" in capsys.readouterr().err
    assert json.loads((run / "checkpoint" / "state.json").read_text())["step"] == 3
    assert all(bool(torch.isfinite(t.float()).all()) for t in _tensors(run).values())


def test_the_last_layer_is_frozen_first(data: list[Path]) -> None:
    config = _config()
    trainer = Trainer(config, World(0, 1, torch.device("cpu")))
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
        _scene(tmp_path / "levels" / f"{i}.tif", ("VV", "VH"), i)
        with rasterio.open(tmp_path / "levels" / f"{i}.tif", "r+") as file:
            file.write(np.full((2, 48, 48), level, dtype=np.float32))
    config = _config(
        "optim.steps=60", "optim.batch=16", "optim.base_lr=0.016", "dino.momentum=0.98", "crops.band_drop=0"
    )
    trainer = Trainer(config, World(0, 1, torch.device("cpu")))
    batches = StepBatches(ChipStore([tmp_path / "levels"], config.model.bands, 1.0), config)
    health = []
    for step in range(60):
        trainer.step(step, batches[step])
        health.append(trainer.health())
    assert np.mean([h["information"] for h in health[-10:]]) > 0.3  # nats; 0 where the teacher has collapsed
    assert np.mean([h["spread"] for h in health[-10:]]) > 0.2  # about 0.02 where it has


def test_chips_beyond_the_memory_budget_give_the_same_samples(data: list[Path]) -> None:
    config = _config()
    kept, read = (ChipStore(data, config.model.bands, gb) for gb in (1.0, 0.0))
    assert kept.fingerprint == read.fingerprint and all(c.memory is None for c in read.chips)
    assert all(c.memory is not None for c in kept.chips)
    for step in range(3):
        for one, other in zip(StepBatches(kept, config)[step], StepBatches(read, config)[step]):
            assert torch.equal(one, other)


def test_folders_are_drawn_by_the_square_root_of_their_pixels(data: list[Path]) -> None:
    store = ChipStore(data, _config().model.bands, 1.0)
    rng, crops = np.random.default_rng(0), _config().crops
    # A window of the single ones lacks VH.
    dual = np.mean([np.isfinite(store.draw(crops, rng).dates[0][1]).any() for _ in range(2000)])
    pixels = np.sqrt([3 * 44 * 48, 3 * 20 * 24])
    assert dual == pytest.approx(pixels[0] / pixels.sum(), abs=0.03)


def test_refusals_name_what_to_do(recipe: Path, data: list[Path], tmp_path: Path) -> None:
    run, config = tmp_path / "run", _config("optim.steps=1")
    with pytest.raises(InputError, match="No run to resume"):
        pretrain(config, data, run, resume=True)
    pretrain(config, data, run, resume=False)
    with pytest.raises(InputError, match="holds a run already"):
        pretrain(config, data, run, resume=False)
    with pytest.raises(InputError, match="other settings: optim.batch"):
        pretrain(_config("optim.steps=1", "optim.batch=8"), data, run, resume=True)
    with pytest.raises(InputError, match="other data"):
        pretrain(config, data[:1], run, resume=True)
    with pytest.raises(InputError, match="No raster"):
        pretrain(config, [tmp_path / "nothing"], tmp_path / "other", resume=False)
    with pytest.raises(InputError, match="shared by 3"):
        StepBatches(ChipStore(data, config.model.bands, 1.0), config, 0, 3)
    with pytest.raises(ModelError, match="No readable backbone"):
        load_backbone(tmp_path, 16)
    assert main(_command(recipe, data, tmp_path / "bad", "--set", "optim.stepz=3")) == 1


def test_the_alarm_sounds_once_for_a_lasting_collapse_after_warm_up() -> None:
    alarm = CollapseAlarm(ready=10, patience=3)
    told = [alarm.check(step, 0.0, 0.5) for step in range(20)]
    assert [i for i, text in enumerate(told) if text] == [12] and "Collapse" in told[12]
    fine = CollapseAlarm(ready=0, patience=3)
    assert not any(fine.check(step, 0.5, 0.5) for step in range(9))
