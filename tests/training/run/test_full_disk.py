"""Fill the disk while training: the last complete checkpoint stays, and the run resumes from it."""

from __future__ import annotations

import shutil

import pytest
import torch

from backend.core.errors import ModelError
from backend.network.weights import load_model, save_model
from tests.support import two_classes
from tests.support.small_disk import leave_room, mounted
from training.run.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def disk(tmp_path):
    with mounted(tmp_path / "disk", "size=8m") as folder:
        yield folder


def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(disk):
    tensors = {"a": torch.ones(100_000)}
    save_checkpoint(disk / "run", 1, tensors, {})
    for room in (0, 4096, 200_000, 404_000):
        leave_room(disk, room)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(disk / "run", 2, {"a": torch.zeros(100_000)}, {"note": "x" * 10_000})
        step, read, _ = load_checkpoint(disk / "run")
        assert step == 1 and torch.equal(read["a"], tensors["a"])
        assert not list((disk / "run").glob(".*"))


def test_a_run_on_a_full_disk_ends_in_one_line_and_resumes(disk, tmp_path, capsys):
    data = two_classes.make_folder(tmp_path)
    settings = ("steps=4", "checkpoint_every_s=0.0")
    assert two_classes.run(data, disk / "straight", "steps=4") == 0
    assert two_classes.run(data, disk / "broken", "steps=1") == 0
    size = sum(path.stat().st_size for path in (disk / "broken.run" / "checkpoint").iterdir())
    shutil.rmtree(disk / "broken")
    shutil.rmtree(disk / "broken.run")
    # Room for a checkpoint, but not for a second one.
    leave_room(disk, size + size // 2)
    capsys.readouterr()
    assert two_classes.run(data, disk / "broken", *settings) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "No space left" in said and "--resume" in said
    step, _, _ = load_checkpoint(disk / "broken.run" / "checkpoint")
    assert 1 <= step < 4 and not (disk / "broken").exists()
    (disk / "filler").unlink()
    assert two_classes.run(data, disk / "broken", *settings, resume=True) == 0
    for name in ("model.safetensors", "card.json"):
        assert (disk / "straight" / name).read_bytes() == (disk / "broken" / name).read_bytes()


def test_a_model_that_finds_no_room_leaves_the_older_one(disk, tmp_path):
    data = two_classes.make_folder(tmp_path)
    assert two_classes.run(data, disk / "m", "steps=1") == 0
    before = {path.name: path.read_bytes() for path in (disk / "m").iterdir()}
    model, card = load_model(disk / "m")
    for room in (0, 8192, len(before["model.safetensors"]) + 100):
        leave_room(disk, room // 4096 * 4096)
        with pytest.raises(OSError, match="No space left"):
            save_model(disk / "m", model, card)
        assert {path.name: path.read_bytes() for path in (disk / "m").iterdir()} == before
    (disk / "filler").unlink()
    (disk / "m" / "card.json").unlink()
    with pytest.raises(ModelError):
        load_model(disk / "m")
    save_model(disk / "m", model, card)
    assert {path.name: path.read_bytes() for path in (disk / "m").iterdir()} == before
