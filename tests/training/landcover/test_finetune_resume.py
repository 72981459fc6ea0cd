"""Resume fine-tunings that were stopped or killed, or that diverged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from tests.support.two_classes import command, make_folder, rows, run
from training.finetune import main
from training.landcover.finetuner import Finetuner


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_a_resumed_run_ends_where_a_straight_one_does(data, tmp_path, monkeypatch):
    settings = ("steps=6", "val_every=3")
    assert run(data, tmp_path / "straight", *settings) == 0
    seen = []
    original = Finetuner.step

    def interrupted(self, step, inputs, targets):
        seen.append(step)
        if len(seen) == 4:
            raise KeyboardInterrupt  # as if killed: nothing is saved at this moment
        loss = original(self, step, inputs, targets)
        self.save(tmp_path / "broken.run" / "checkpoint", step + 1)
        return loss

    monkeypatch.setattr(Finetuner, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "broken", *settings)
    monkeypatch.setattr(Finetuner, "step", original)
    assert run(data, tmp_path / "broken", *settings, resume=True) == 0
    assert (tmp_path / "straight/model.safetensors").read_bytes() == (
        tmp_path / "broken/model.safetensors"
    ).read_bytes()


@pytest.mark.slow
def test_a_killed_run_resumes_bit_by_bit(data, tmp_path, repo_root):
    settings = ("steps=30", "val_every=7", "patience=99", "batch=4", "head=conv")
    assert run(data, tmp_path / "straight", *settings) == 0
    broken = tmp_path / "broken"
    often = (*settings, "checkpoint_every_s=0.0")
    process = subprocess.Popen(
        [sys.executable, "-m", "training.finetune", *command(data, broken, *often)],
        cwd=repo_root,
        # Another number of threads would change the last bits of sums.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        stderr=subprocess.DEVNULL,
    )
    state = tmp_path / "broken.run" / "checkpoint" / "state.json"
    deadline = time.monotonic() + 60
    while not (state.exists() and json.loads(state.read_text())["step"] > 7) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 7 < json.loads(state.read_text())["step"] < 30 and not broken.exists()
    assert run(data, broken, *settings, resume=True) == 0  # how often checkpoints are written may change
    for name in ("model.safetensors", "card.json"):
        assert (tmp_path / "straight" / name).read_bytes() == (broken / name).read_bytes(), name
    assert rows(tmp_path / "straight") == rows(broken)


def test_a_diverging_run_stops_and_its_last_checkpoint_stays(data, tmp_path, capsys):
    settings = ("steps=20", "lr=1e30", "warmup=0.0", "checkpoint_every_s=0.0", "val_every=100", "layer_decay=1.0")
    assert run(data, tmp_path / "m", *settings) == 1
    assert "Lower lr" in capsys.readouterr().err and not (tmp_path / "m").exists()
    folder = tmp_path / "m.run" / "checkpoint"
    state = json.loads((folder / "state.json").read_text())
    assert 0 < state["step"] < 20
    tensors = load_file(folder / state["tensors"])
    assert all(bool(torch.isfinite(t.float()).all()) for t in tensors.values())


def test_a_model_that_is_there_is_replaced_only_if_asked_for(data, tmp_path, capsys):
    model, other = tmp_path / "m", tmp_path / "other"
    assert run(data, model, "steps=1") == 0
    first = (model / "model.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "m.run")
    assert run(data, model, "steps=2") == 1
    assert "There is a model in" in capsys.readouterr().err and not (tmp_path / "m.run").exists()
    assert (model / "model.safetensors").read_bytes() == first
    assert run(data, model, "steps=2", backbone=model) == 1
    assert "is the model that provides the backbone" in capsys.readouterr().err
    assert main([*command(data, model, "steps=2"), "--overwrite"]) == 0
    assert (model / "model.safetensors").read_bytes() != first
    assert run(data, model, "steps=2", resume=True) == 0
    other.mkdir()
    (other / "notes.txt").touch()
    assert main([*command(data, other, "steps=1"), "--overwrite"]) == 1
    assert "holds notes.txt, so it is not a model folder" in capsys.readouterr().err
