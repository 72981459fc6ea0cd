from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from tests.support.pretraining import ALONE, rows, tensors
from tests.support.watched_run import SEEN, watched
from training.data.dataset import ChipFolder
from training.dino.trainer import Trainer
from training.monitor.monitor import Monitor
from training.pretrain import main
from training.run.config import load_recipe, resolve
from training.run.log import read_log
from training.run.pretrain_config import PretrainConfig
from training.views.crops import ViewPlan


def test_a_run_leaves_scores_pictures_curves_and_event_files(finished: Path) -> None:
    scores = read_log(finished / "probe.csv")
    assert scores["step"] == SEEN and min(scores["knn_accuracy"]) > 0.9  # the two classes differ by 16 dB
    assert set(scores) == {
        "step", "knn_accuracy", "knn_balanced_accuracy", "knn_merged_accuracy", "knn_merged_balanced_accuracy",
        "linear_balanced_accuracy", "statistics_balanced_accuracy",
    }  # fmt: skip
    pictures = sorted(path.name for path in (finished / "pictures").iterdir())
    assert pictures == [f"step_{step:06d}.png" for step in SEEN]
    for path in [finished / "curves.png", *(finished / "pictures").iterdir()]:
        picture = imread(path)
        assert min(picture.shape[:2]) > 200 and picture[..., :3].std() > 0.05
    assert not [path for path in finished.rglob("*") if path.name.endswith(".tmp")]


def test_looking_changes_nothing_of_what_is_learnt(folder: Path, finished: Path, tmp_path: Path) -> None:
    settings = ("monitor.pictures=0", "monitor.tensorboard=false", "monitor.every=1000", "run.workers=1")
    assert main(watched(folder, tmp_path / "blind", *settings, probe=False)) == 0
    seen, blind = tensors(finished), tensors(tmp_path / "blind")
    assert seen.keys() == blind.keys() and all(torch.equal(seen[name], blind[name]) for name in seen)
    assert rows(finished) == rows(tmp_path / "blind")
    assert sorted(p.name for p in (tmp_path / "blind").iterdir()) == [
        "backbone.json", "backbone.safetensors", "checkpoint", "config.json", "curves.png", "log.csv",
    ]  # fmt: skip


def test_a_look_puts_back_every_generator_and_mode(folder: Path, tmp_path: Path) -> None:
    config = resolve(PretrainConfig, load_recipe(str(folder / "tiny.toml")))
    trainer = Trainer(config, ALONE)
    folders = [ChipFolder(folder / "blocks", config.model.bands)]
    teacher = trainer.pair.teacher.backbone

    def state() -> tuple[object, ...]:
        modes = [part.training for part in trainer.pair.modules()]
        weights = [t.clone() for t in trainer.pair.state_dict().values()]
        grads = [p.grad is None and not p.requires_grad for p in teacher.parameters()]
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state(), modes, grads, weights

    def look() -> None:
        Monitor(trainer, folders, tmp_path, 0, print).close()

    before = state()
    look()
    for one, other in zip(before, state()):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_what_is_shown_may_change_and_older_runs_resume(folder: Path, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    facts = json.loads((run / "config.json").read_text())
    del facts["config"]["monitor"]  # a run of a version without it
    (run / "config.json").write_text(json.dumps(facts))
    settings = ("monitor.every=3", "monitor.pictures=2", "monitor.tensorboard=false")
    assert main(watched(folder, run, *settings, resume=True)) == 0
    assert tensors(run).keys() == tensors(finished).keys()


@pytest.mark.parametrize("name", ["pictures", "tensorboard"])
def test_what_cannot_be_written_is_refused_before_the_first_step(
    folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text('{"config": {}}')  # a run that was killed before its first checkpoint
    (run / name).write_text("a file where a folder should be")
    assert main(watched(folder, run)) == 1
    said = capsys.readouterr().err
    assert "before the first step" in said and "monitor." in said
    assert not (run / "checkpoint").exists()


def test_a_bad_probe_folder_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(watched(folder, tmp_path / "run", f"monitor.probe={tmp_path / 'nothing'}", probe=False)) == 1
    assert "No raster in" in capsys.readouterr().err
    assert main(watched(folder, tmp_path / "run", "monitor.probe_tokens=5")) == 1
    assert "monitor.probe_tokens is 5" in capsys.readouterr().err


def _spoil_pictures(run: Path) -> None:
    shutil.rmtree(run / "pictures")
    (run / "pictures").write_text("")


def _spoil_scores(run: Path) -> None:
    (run / "probe.csv").unlink()
    (run / "probe.csv").mkdir()


@pytest.mark.parametrize("case", [(_spoil_pictures, "Drawing pictures failed"), (_spoil_scores, "The probe failed")])
def test_a_later_failure_is_told_once_and_the_run_goes_on(
    folder: Path,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[Callable[[Path], None], str],
) -> None:
    run, real = tmp_path / "run", Trainer.step
    spoil, words = case

    def step(self: Trainer, number: int, plan: ViewPlan, watched: bool = True) -> dict[str, float]:
        if number == 1:
            spoil(run)
        return real(self, number, plan, watched)

    monkeypatch.setattr(Trainer, "step", step)
    assert main(watched(folder, run)) == 0
    assert capsys.readouterr().err.count(words) == 1
    one, other = tensors(finished), tensors(run)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_by_default_a_run_is_looked_at_ten_times(folder: Path, tmp_path: Path) -> None:
    recipe = load_recipe(str(folder / "tiny.toml"))
    recipe |= {"monitor": {"pictures": 0, "tensorboard": False}, "optim": {"steps": 1500}}
    config = resolve(PretrainConfig, recipe)
    trainer = Trainer(config, ALONE)
    folders = [ChipFolder(folder / "blocks", config.model.bands)]
    monitor = Monitor(trainer, folders, tmp_path, 0, print)
    assert [done for done in range(1, 1501) if monitor.due(done)] == list(range(150, 1501, 150))
