"""A run that learns nothing is told of once, in plain words; runs made to fail in each way."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from tests.support.watched_run import watched
from training.dino.trainer import Trainer
from training.monitor.alarm import LearningAlarm
from training.pretrain import main
from training.run.log import read_log
from training.run.pretrain_config import DinoConfig, OptimConfig, PretrainConfig
from training.views.crops import ViewPlan

CONFIG = PretrainConfig(optim=OptimConfig(steps=100), dino=DinoConfig(out_dim=64))
UNIFORM = math.log(64)


def scores(step: int, knn: float, linear: float) -> dict[str, float]:
    return {"step": step, "knn_balanced_accuracy": knn, "linear_balanced_accuracy": linear}


def log(entropy: float, information: float, rows: int = 10) -> dict[str, list[float]]:
    return {"step": list(range(rows)), "teacher_entropy": [entropy] * rows, "information": [information] * rows}


def test_two_looks_in_a_row_below_random_weights_are_told_once() -> None:
    alarm = LearningAlarm(CONFIG, {})
    seen = [(0.5, 0.5), (0.6, 0.4), (0.6, 0.6), (0.6, 0.4), (0.4, 0.6), (0.4, 0.4), (0.4, 0.4)]
    said = [alarm.scores(scores(10 * i, *pair)) for i, pair in enumerate(seen)]
    assert [i for i, text in enumerate(said) if text] == [4]
    assert "nearest neighbours 0.400, at first 0.500" in said[4] and "linear probe" not in said[4]
    assert "optim.base_lr" in said[4] and "dino.out_dim" in said[4] and "stem" in said[4]


def test_a_resumed_run_goes_on_from_its_earlier_scores() -> None:
    rows = [scores(0, 0.5, 0.5), scores(10, 0.4, 0.6)]
    before = {name: [row[name] for row in rows] for name in rows[0]}
    assert LearningAlarm(CONFIG, before).scores(scores(20, 0.4, 0.6))
    told = {name: [*values, values[-1] + 10 * (name == "step")] for name, values in before.items()}
    assert not LearningAlarm(CONFIG, told).scores(scores(30, 0.4, 0.6))


@pytest.mark.parametrize(
    ("entropy", "information", "words"),
    [
        (UNIFORM - 0.001, 0.3, "nearly uniform"),
        (0.5, 0.01, "nearly the same for all images"),
        (UNIFORM - 0.1, 0.5, ""),
    ],
)
def test_targets_that_say_nothing_are_told_after_a_fifth(entropy: float, information: float, words: str) -> None:
    alarm = LearningAlarm(CONFIG, {})
    assert alarm.targets(19, log(entropy, information)) == "" == alarm.targets(20, {})
    said = alarm.targets(20, log(entropy, information))
    assert (words in said) if words else not said
    assert alarm.targets(30, log(entropy, information)) == ""
    # Only what is new counts: a run that has begun to learn is left alone.
    late = {name: [*values[:8], 8, 9] if name == "step" else [*values[:8], 2.0, 2.0]
            for name, values in log(entropy, information).items()}  # fmt: skip
    assert LearningAlarm(CONFIG, {}).targets(20, late) == ""


def test_targets_count_from_the_first_step_that_compares_tokens() -> None:
    dino = DinoConfig(out_dim=64, levels_weight=1.0, levels_first=0.5)
    alarm = LearningAlarm(PretrainConfig(optim=OptimConfig(steps=100), dino=dino), {})
    assert alarm.targets(59, log(UNIFORM, 0.0, rows=59)) == "" == alarm.targets(60, log(UNIFORM, 0.0, rows=50))
    assert "dino.standardise=true" in alarm.targets(60, log(UNIFORM, 0.0, rows=60))


def test_without_targets_there_is_nothing_to_tell() -> None:
    config = PretrainConfig(dino=DinoConfig(dino_weight=0.0, levels_weight=1.0))
    assert LearningAlarm(config, {}).targets(config.optim.steps, log(math.log(65536), 0.0)) == ""


FAST = ("optim.steps=12", "monitor.pictures=0", "monitor.tensorboard=false")


def test_a_run_with_uniform_targets_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hot = ("dino.teacher_temp=50", "dino.teacher_temp_start=50")
    assert main(watched(folder, tmp_path / "run", *FAST, *hot, probe=False)) == 0
    said = capsys.readouterr().err
    assert said.count("targets of the teacher are nearly uniform") == 1 and "Lower dino.teacher_temp" in said


def test_a_run_that_unlearns_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All tokens become alike."""
    real = Trainer.step

    def step(self: Trainer, number: int, plan: ViewPlan, watched: bool = True) -> dict[str, float]:
        row = real(self, number, plan, watched)
        with torch.no_grad():
            for parameter in self.pair.teacher.backbone.parameters():
                parameter.zero_()
        return row

    monkeypatch.setattr(Trainer, "step", step)
    assert main(watched(folder, tmp_path / "run", *FAST)) == 0
    found = read_log(tmp_path / "run" / "probe.csv")["knn_balanced_accuracy"]
    assert found[-1] < found[0] - 0.1
    assert capsys.readouterr().err.count("worse than random weights") == 1
