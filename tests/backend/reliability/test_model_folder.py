"""Runs are killed while they write a model folder, or files are exchanged: the older model or the new one loads."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
import torch

from backend.core.cancel import Cancel
from backend.core.errors import ModelError
from backend.folder import hashed_file
from backend.network.weights import known_answers, load_model, save_model
from backend.own_classes.model_folder import write_folder
from tests.support.backend.portable import tensors_of


@pytest.fixture
def folder(tiny_model, tmp_path):
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture
def new(tiny_model):
    """Return another model of the same sizes, and its card."""
    model, card = load_model(tiny_model)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    return model, card


def killed_at(step: int, write) -> bool:
    """Run `write` in a process that is killed before its `step`-th rename; return whether it came that far."""
    child = os.fork()
    if not child:
        torch.set_num_threads(1)  # the threads of a pool don't come along
        real, count = os.replace, [0]

        def replace(old, target):
            if count[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            count[0] += 1
            real(old, target)

        os.replace = replace
        try:
            write()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def write_own(folder, model, card):
    """Write a model as own classes do."""
    return write_folder(folder, (tensors_of(model), known_answers(model, card)), card, Cancel())


def state(folder):
    return {key: value.clone() for key, value in load_model(folder)[0].state_dict().items()}


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")
@pytest.mark.parametrize("write", [save_model, write_own], ids=["save", "own"])
def test_a_kill_between_renames_leaves_the_older_or_the_new(folder, new, write, tmp_path):
    older, seen = state(folder), []
    for step in range(11):
        target = Path(shutil.copytree(folder, tmp_path / str(step)))
        reached = killed_at(step, lambda to=target: write(to, *new))
        found = state(target)
        seen.append(same(found, new[0].state_dict()))
        assert seen[-1] or same(found, older)
        # A later save completes the killed one, and removes its files.
        write(target, *load_model(target))
        assert same(state(target), found)
        assert sorted(path.name for path in target.iterdir()) == ["card.json", "model.safetensors", "network.onnx"]
        if not reached:
            break
    assert seen == sorted(seen) and not seen[0] and seen[-2:] == [True, True] and len(seen) >= 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")
def test_a_kill_leaves_a_new_folder_whole_or_absent(new, tmp_path):
    for step in range(11):
        target = tmp_path / str(step)
        reached = killed_at(step, lambda to=target: write_own(to, *new))
        assert not target.exists() or same(state(target), new[0].state_dict())
        if not reached:
            break
    assert target.exists() and step >= 3


def test_weights_exchanged_while_they_are_read_are_refused(folder, monkeypatch):
    real = hashed_file._digest

    def digest(file):
        found = real(file)
        content = bytearray((folder / "model.safetensors").read_bytes())
        content[-1] ^= 1
        (folder / "model.safetensors").write_bytes(content)
        return found

    monkeypatch.setattr(hashed_file, "_digest", digest)
    monkeypatch.setattr(hashed_file, "SMALL_BYTES", 0)  # a small one is read once only
    with pytest.raises(ModelError, match="has SHA-256"):
        load_model(folder)
