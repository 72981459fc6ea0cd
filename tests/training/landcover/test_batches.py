"""Cut batches one ahead: none past the end, and no wait for one when training fails."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from backend.card.model_card import Band
from tests.support.two_classes import make_folder, run
from training.landcover.chips import CropSampler, LabelledChip
from training.landcover.finetuner import Finetuner
from training.run.finetune_config import CropAugmentConfig


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


def test_what_has_no_data_is_filled_and_has_no_target():
    bands = (Band("VV", "db", (-30.0, 5.0), -12.0, 5.0), Band("VH", "db", (-35.0, 0.0), -20.0, 6.0))
    db = np.stack([np.full((40, 40), -7), np.full((40, 40), -14)]).astype(np.float16)
    target = np.zeros((40, 40), dtype=np.int16)
    db[:, :, 15:], target[:, 15:] = np.nan, -1
    still = CropAugmentConfig(speckle=0, gain_common_db=0, gain_band_db=0, band_drop=0, flip=False)
    inputs, targets = CropSampler([LabelledChip(db, target, 0.0)], bands, 40, still, seed=0).batch(0, 1)
    np.testing.assert_allclose(inputs.numpy(), 1, atol=1e-4)
    np.testing.assert_array_equal(targets[0].numpy(), target)


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
