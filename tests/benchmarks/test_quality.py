"""The comparisons of heads and of pre-training options run and give a table."""

from __future__ import annotations

import json

import pytest

from tests.support.two_classes import SMALL, make_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_heads_are_trained_and_compared(benchmark, data, tmp_path):
    out = tmp_path / "out"
    arguments = [data, "--out", out, "--steps", 2, "--images", 2]
    arguments += [word for setting in SMALL for word in ("--set", setting)]
    done = benchmark("quality.head_comparison", *arguments)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[-5:]
    assert [line.split()[0] for line in lines] == ["head", "linear", "conv", "decoder", "detail"] and lines[1].endswith(
        "1.00x"
    )
    found = json.loads((out / "comparison.json").read_text())
    for result in found["results"]:
        scores = result["scores"]
        assert scores["border"]["pixels"] + scores["inside"]["pixels"] == scores["all"]["pixels"] == 2 * 48 * 48
        # The classes lie left and right: two pixels to each side of one line through either image.
        assert scores["border"]["pixels"] == 2 * 48 * 4
        assert 0 <= scores["border_merged"]["mean_iou"] <= 1 and "expected_error" in scores["calibration"]


def test_options_are_trained_and_compared(benchmark, data, tmp_path):
    out = tmp_path / "out"
    arguments = ["--data", data, "--labelled", data, "--out", out, "--variants", "base", "--steps", 2, "--batch", 2]
    done = benchmark("quality.pretrain_options", *arguments, "--rounds", 1, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "options.json").read_text())
    assert list(found["scores"]) == ["random", "base"] and found["times"] == {"base": 1.0}
    # Tokens of any network separate water and trees that are 12 dB apart.
    assert all(seed["knn"] > 0.95 for seeds in found["scores"].values() for seed in seeds)
    assert all(0 <= seed["outliers"] < 0.1 for seeds in found["scores"].values() for seed in seeds)
    lines = done.stdout.splitlines()
    assert lines[-2].startswith("random | ") and lines[-2].endswith("| -") and lines[-1].startswith("base | ")
