"""The benchmark of change: false alarms stay below the level on simulated scenes; the worked example's samples."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tools.worked_example import FELLINGS, layouts


def test_false_alarms_of_simulated_scenes(benchmark, tmp_path):
    done = benchmark("quality.change", "--scenes", 3, "--json", tmp_path / "c.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "c.json").read_text())["simulated"]
    for level, share in found["false alarms"].items():
        assert share < 2 * float(level), level  # three scenes hold some hundred independent windows each
    assert done.stdout.startswith("simulated: ") and 0 < found["square found"] <= 1


@pytest.mark.parametrize("seed", [1, 7])
def test_forest_is_felled_in_the_worked_example(seed):
    before, after = layouts(seed)
    felled = (before == 10) & (after == 30)
    assert FELLINGS * 50 < np.count_nonzero(felled) and not ((before != 10) & (before != 30) & (before != after)).any()
