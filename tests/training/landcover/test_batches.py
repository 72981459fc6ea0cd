"""Cut batches one ahead: none past the end, and no wait for one when training fails."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.two_classes import make_folder, run
from training.landcover.chips import CropSampler
from training.landcover.finetuner import Finetuner


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_no_batch_is_cut_past_the_last_step(data, tmp_path, monkeypatch):
    cut, original = [], CropSampler.batch

    def batch(self, step, count):
        cut.append(step)
        return original(self, step, count)

    monkeypatch.setattr(CropSampler, "batch", batch)
    assert run(data, tmp_path / "m", "steps=3") == 0
    assert cut == [0, 1, 2]
    assert run(data, tmp_path / "m", "steps=3", resume=True) == 0
    assert cut == [0, 1, 2]


def test_a_step_that_fails_does_not_wait_for_the_next_batch(data, tmp_path, monkeypatch):
    wanted, original = threading.Event(), CropSampler.batch

    def batch(self, step, count):
        if step:
            wanted.wait(20)
        return original(self, step, count)

    def fail(self, step, inputs, targets):
        began.append(time.monotonic())
        raise KeyboardInterrupt

    began = []
    monkeypatch.setattr(CropSampler, "batch", batch)
    monkeypatch.setattr(Finetuner, "step", fail)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(data, tmp_path / "m", "steps=3")
        assert time.monotonic() - began[0] < 5
    finally:
        wanted.set()
