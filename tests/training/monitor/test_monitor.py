from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from safetensors.torch import load_file
from tensorboardX.proto.event_pb2 import Event, SessionLog

from tests.support.blocks import write_blocks
from tests.support.tiny_network import TINY
from training.data.dataset import ChipFolder
from training.dino.trainer import Trainer
from training.monitor import monitor as module
from training.monitor.board import Board
from training.monitor.monitor import Monitor
from training.pretrain import main
from training.run.config import load_recipe, resolve
from training.run.log import Progress, read_log
from training.run.pretrain_config import PretrainConfig
from training.run.workers import World

ROOT = Path(module.__file__).resolve().parents[2]
RECIPE = f"""{TINY}drop_path = 0.3
[optim]
steps = 6
batch = 4
[run]
device = "cpu"
log_every = 1
[monitor]
every = 2
pictures = 1
probe_tokens = 100
"""
SEEN = [0, 2, 4, 6]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_blocks(root / "blocks", "abcd", side=48)
    (root / "tiny.toml").write_text(RECIPE)
    return root


def _command(folder: Path, run: Path, *settings: str, resume: bool = False, probe: bool = True) -> list[str]:
    words = ["--recipe", str(folder / "tiny.toml"), "--data", str(folder / "blocks"), "--out", str(run)]
    words += ["--resume"] if resume else []
    if probe:
        settings = (f"monitor.probe={folder / 'blocks'}", *settings)
    return words + [word for setting in settings for word in ("--set", setting)]


@pytest.fixture(scope="module")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert main(_command(folder, run)) == 0
    return run


def _tensors(run: Path) -> dict[str, torch.Tensor]:
    return load_file(next((run / "checkpoint").glob("step-*.safetensors")))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "images_per_s"} for row in csv.DictReader(file)]


def _events(run: Path) -> list[Event]:
    """Events as TensorBoard shows them: a start in a file voids what earlier files have of its step and later ones."""
    kept: list[Event] = []
    for path in sorted((run / "tensorboard").iterdir()):
        data, begin = path.read_bytes(), 0
        while begin < len(data):
            (length,) = struct.unpack_from("<Q", data, begin)
            event = Event.FromString(data[begin + 12 : begin + 12 + length])
            begin += 12 + length + 4
            if event.session_log.status == SessionLog.START:
                kept = [other for other in kept if other.step < event.step]
            kept.append(event)
    return kept


def _scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in _events(run):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_a_run_leaves_scores_pictures_curves_and_event_files(finished: Path) -> None:
    scores = read_log(finished / "probe.csv")
    assert scores["step"] == SEEN and min(scores["knn_accuracy"]) > 0.9  # the two classes differ by 16 dB
    assert set(scores) == {
        "step", "knn_accuracy", "knn_balanced_accuracy", "knn_merged_accuracy", "knn_merged_balanced_accuracy",
    }  # fmt: skip
    pictures = sorted(path.name for path in (finished / "pictures").iterdir())
    assert pictures == [f"step_{step:06d}.png" for step in SEEN]
    for path in [finished / "curves.png", *(finished / "pictures").iterdir()]:
        picture = imread(path)
        assert min(picture.shape[:2]) > 200 and picture[..., :3].std() > 0.05
    assert not [path for path in finished.rglob("*") if path.name.endswith(".tmp")]


def test_event_files_hold_all_columns_and_the_pictures(finished: Path) -> None:
    scalars = _scalars(finished)
    for group, name, offset in (("train", "log", 1), ("probe", "probe", 0)):
        columns = read_log(finished / f"{name}.csv")
        steps = [int(step) + offset for step in columns.pop("step")]
        for column, values in columns.items():
            found = scalars.pop(f"{group}/{column}")
            assert [step for step, _ in found] == steps
            np.testing.assert_allclose([value for _, value in found], values, rtol=1e-4)
    assert scalars == {}
    images = {e.step: v.image for e in _events(finished) for v in e.summary.value if v.HasField("image")}
    assert sorted(images) == SEEN
    for step, image in images.items():
        assert image.encoded_image_string == (finished / "pictures" / f"step_{step:06d}.png").read_bytes()
        assert imread(io.BytesIO(image.encoded_image_string)).shape[:2] == (image.height, image.width)


def test_looking_changes_nothing_of_what_is_learnt(folder: Path, finished: Path, tmp_path: Path) -> None:
    settings = ("monitor.pictures=0", "monitor.tensorboard=false", "monitor.every=1000", "run.workers=1")
    assert main(_command(folder, tmp_path / "blind", *settings, probe=False)) == 0
    seen, blind = _tensors(finished), _tensors(tmp_path / "blind")
    assert seen.keys() == blind.keys() and all(torch.equal(seen[name], blind[name]) for name in seen)
    assert _rows(finished / "log.csv") == _rows(tmp_path / "blind" / "log.csv")
    assert sorted(p.name for p in (tmp_path / "blind").iterdir()) == [
        "backbone.json", "backbone.safetensors", "checkpoint", "config.json", "curves.png", "log.csv",
    ]  # fmt: skip


def test_a_look_puts_back_every_generator_and_mode(folder: Path, tmp_path: Path) -> None:
    config = resolve(PretrainConfig, load_recipe(str(folder / "tiny.toml")))
    trainer = Trainer(config, World(0, 1, torch.device("cpu")))
    folders = [ChipFolder(folder / "blocks", config.model.bands)]
    teacher = trainer.pair.teacher.backbone

    def state() -> tuple[object, ...]:
        modes = [part.training for part in trainer.pair.modules()]
        weights = [t.clone() for t in trainer.pair.state_dict().values()]
        grads = [p.grad is None and not p.requires_grad for p in teacher.parameters()]
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state(), modes, grads, weights

    def look() -> None:
        Monitor(config, teacher, torch.device("cpu"), folders, tmp_path, 0, print).close()

    before = state()
    look()
    for one, other in zip(before, state()):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_killed_run_tells_everything_once(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "broken"
    settings = ("run.checkpoint_every_s=0", "optim.steps=30")
    process = subprocess.Popen(
        [sys.executable, "-m", "training.pretrain", *_command(folder, run, *settings)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (run / "pictures" / "step_000004.png").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = json.loads((run / "checkpoint" / "state.json").read_text())["step"]
    assert 0 < done < 28
    assert main(_command(folder, run, *settings, "monitor.every=10", resume=True)) == 0
    expected = [step for step in range(0, done + 1, 2)] + [step for step in range(10, 31, 10) if step > done]
    assert read_log(run / "probe.csv")["step"] == expected
    scalars = _scalars(run)
    assert [step for step, _ in scalars["probe/knn_accuracy"]] == expected
    assert [step for step, _ in scalars["train/loss"]] == list(range(1, 31))


def test_what_is_shown_may_change_and_older_runs_resume(folder: Path, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    facts = json.loads((run / "config.json").read_text())
    del facts["config"]["monitor"]  # a run of a version without it
    (run / "config.json").write_text(json.dumps(facts))
    settings = ("monitor.every=3", "monitor.pictures=2", "monitor.tensorboard=false")
    assert main(_command(folder, run, *settings, resume=True)) == 0
    assert _tensors(run).keys() == _tensors(finished).keys()


@pytest.mark.parametrize("name", ["pictures", "tensorboard"])
def test_what_cannot_be_written_is_refused_before_the_first_step(
    folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / name).write_text("a file where a folder should be")
    assert main(_command(folder, run)) == 1
    said = capsys.readouterr().err
    assert "before the first step" in said and "monitor." in said
    assert not (run / "checkpoint").exists()


def test_a_bad_probe_folder_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_command(folder, tmp_path / "run", f"monitor.probe={tmp_path / 'nothing'}", probe=False)) == 1
    assert "No raster in" in capsys.readouterr().err
    assert main(_command(folder, tmp_path / "run", "monitor.probe_tokens=5")) == 1
    assert "monitor.probe_tokens is 5" in capsys.readouterr().err


def test_without_the_package_event_files_are_refused_and_can_be_left_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboardX"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(_command(folder, tmp_path / "run")) == 1
    assert "pip install tensorboardX" in capsys.readouterr().err
    assert main(_command(folder, tmp_path / "run", "monitor.tensorboard=false", "optim.steps=1")) == 0


def _spoil_pictures(run: Path) -> None:
    shutil.rmtree(run / "pictures")
    (run / "pictures").write_text("")


def _spoil_scores(run: Path) -> None:
    (run / "probe.csv").unlink()
    (run / "probe.csv").mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"), [(_spoil_pictures, "Drawing pictures failed"), (_spoil_scores, "The k-NN probe failed")]
)
def test_a_later_failure_is_told_once_and_the_run_goes_on(
    folder: Path,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    run, real = tmp_path / "run", Trainer.step

    def step(self: Trainer, number: int, groups: list[torch.Tensor]) -> dict[str, float]:
        if number == 1:
            spoil(run)
        return real(self, number, groups)

    monkeypatch.setattr(Trainer, "step", step)
    assert main(_command(folder, run)) == 0
    assert capsys.readouterr().err.count(words) == 1
    one, other = _tensors(finished), _tensors(run)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_by_default_a_run_is_looked_at_ten_times(folder: Path, tmp_path: Path) -> None:
    recipe = load_recipe(str(folder / "tiny.toml"))
    recipe |= {"monitor": {"pictures": 0, "tensorboard": False}, "optim": {"steps": 1500}}
    config = resolve(PretrainConfig, recipe)
    teacher = Trainer(config, World(0, 1, torch.device("cpu"))).pair.teacher.backbone
    folders = [ChipFolder(folder / "blocks", config.model.bands)]
    monitor = Monitor(config, teacher, torch.device("cpu"), folders, tmp_path, 0, print)
    assert [done for done in range(1, 1501) if monitor.due(done)] == list(range(150, 1501, 150))


def test_time_spent_looking_is_no_training_but_is_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("training.run.log.time.monotonic", lambda: now)
    stream = io.StringIO()
    progress = Progress(0, 10, 4, stream)
    progress.note = "k-NN 0.5"
    now += 2
    progress.pause(1)
    progress.show(1, 0.5)
    assert progress.images_per_s == pytest.approx(4.0)
    assert re.search(r"4\.0 images/s  left 0:00:18  k-NN 0\.5\n", stream.getvalue())


def test_two_boards_of_one_second_are_two_files(tmp_path: Path) -> None:
    for done in (0, 3):
        board = Board(tmp_path / "tensorboard", done)
        for step in range(done + 1, 6):
            board.scalars("train", step, {"loss": float(step + done)})
        board.close()
    assert len(os.listdir(tmp_path / "tensorboard")) == 2
    assert _scalars(tmp_path) == {"train/loss": [(1, 1.0), (2, 2.0), (3, 3.0), (4, 7.0), (5, 8.0)]}
