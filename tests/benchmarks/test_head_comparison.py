"""The benchmark of heads: where borders are, and that it goes on where it was."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.quality.head_comparison import main, near_border
from tests.support.two_classes import SMALL, make_folder


def test_a_border_has_two_pixels_on_either_side_and_holes_are_none():
    label = np.full((8, 12), 10, dtype=np.uint8)
    label[:, 6:] = 80
    label[0, :2] = 0  # unlabelled: neither border nor counted
    near = near_border(label, 2)
    assert near[:, 4:8].all() and near.sum() == 8 * 4
    assert not near_border(np.full((5, 5), 10, dtype=np.uint8)).any()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_every_head_is_trained_once_and_compared(data, tmp_path, capsys, monkeypatch):
    arguments = [str(data), "--out", str(tmp_path / "out"), "--steps", "2", "--images", "2"]
    for setting in SMALL:
        arguments += ["--set", setting]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()[-4:]
    assert lines[0].split()[0] == "head" and [line.split()[0] for line in lines[1:]] == ["linear", "conv", "decoder"]
    assert lines[1].endswith("1.00x")
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    for result in found["results"]:
        scores = result["scores"]
        assert scores["border"]["pixels"] + scores["inside"]["pixels"] == scores["all"]["pixels"] == 2 * 48 * 48
        assert 0 <= scores["border_merged"]["mean_iou"] <= 1 and "expected_error" in scores["calibration"]
    monkeypatch.setattr("training.landcover.finetuner.Finetuner.step", None)  # nothing is trained again
    monkeypatch.setattr("benchmarks.quality.head_comparison.cost", lambda given, configs: found["cost"])
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == lines
    assert main([*arguments, "--set", "lr=0.5"]) == 1
    assert "other settings" in capsys.readouterr().err
