import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from backend.core.errors import ModelError
from training.run.checkpoint import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from training.run.tensor_files import read_tensors, write_tensors


def _trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    _step(net, optimizer)
    return net, optimizer


def _step(net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    net(torch.arange(6.0).reshape(2, 3)).square().mean().backward()
    optimizer.step()


def test_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(3, 2), "b": torch.arange(4, dtype=torch.uint8)}
    save_checkpoint(tmp_path, 5, tensors, {"note": "x", "value": 0.1})
    step, read, scalars = load_checkpoint(tmp_path)
    assert step == 5 and scalars == {"note": "x", "value": 0.1}
    assert all(torch.equal(read[k], v) and read[k].dtype == v.dtype for k, v in tensors.items())


def test_optimizer_continues_as_if_never_stopped(tmp_path: Path) -> None:
    net, optimizer = _trained()
    save_checkpoint(tmp_path, 1, {**net.state_dict(), **optimizer_tensors(optimizer, net)}, {})
    _step(net, optimizer)
    other = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    fresh = torch.optim.AdamW(other.parameters(), lr=0.1)
    _, tensors, _ = load_checkpoint(tmp_path)
    other.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("optimizer.")})
    restore_optimizer(fresh, other, tensors)
    _step(other, fresh)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters()))


def test_only_the_latest_is_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, {"a": torch.full((2,), float(step))}, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.json", "step-000000003.safetensors"]
    assert float(load_checkpoint(tmp_path)[1]["a"][0]) == 3


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_failed_save_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    save_checkpoint(tmp_path, 1, {"a": torch.ones(2)}, {})
    real, calls = os.replace, []

    def replace(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == fails_at:
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(tmp_path, 2, {"a": torch.zeros(2)}, {})
    step, tensors, _ = load_checkpoint(tmp_path)
    assert step == 1 and float(tensors["a"].sum()) == 2
    assert not list(tmp_path.glob(".*"))


def test_none_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No checkpoint"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, 1, {"a": torch.ones(200)}, {})
    tensors = tmp_path / "step-000000001.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-9])
    with pytest.raises(ModelError, match="can't be read"):
        load_checkpoint(tmp_path)
    (tmp_path / "state.json").write_text(json.dumps({"step": 1}))
    with pytest.raises(ModelError, match="can't be read"):
        load_checkpoint(tmp_path)


def _flip(path: Path, place: int, bit: int = 1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= bit
    path.write_bytes(content)


@pytest.mark.parametrize("place", [-1, -300, 40])
def test_a_flipped_bit_of_a_tensor_is_refused(tmp_path: Path, place: int) -> None:
    save_checkpoint(tmp_path, 1, {"a": torch.ones(200)}, {})
    _flip(tmp_path / "step-000000001.safetensors", place)
    with pytest.raises(ModelError, match="can't be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(("old", "new"), [('"step": 1', '"step": 3'), ("0.5", "0.7"), ("sha256", "sha25v"), ("{", "[")])
def test_a_changed_state_is_refused(tmp_path: Path, old: str, new: str) -> None:
    save_checkpoint(tmp_path, 1, {"a": torch.ones(2)}, {"best_iou": 0.5})
    state = tmp_path / "state.json"
    state.write_text(state.read_text().replace(old, new, 1))
    with pytest.raises(ModelError, match="can't be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    save_checkpoint(tmp_path, 1, {"a": torch.tensor([1.0, value])}, {})
    with pytest.raises(ModelError, match="tensor a holds values that are not finite"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_of_an_older_version_is_read(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, {"a": torch.ones(2)}, {})
    state = tmp_path / "state.json"
    older = json.loads(state.read_text())
    del older["sha256"]
    state.write_text(json.dumps(older))
    assert load_checkpoint(tmp_path)[0] == 1


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_altered_tensors_of_a_backbone_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "backbone.safetensors"
    write_tensors(path, {"a": torch.full((200,), value), "b": torch.arange(3), "c": torch.tensor(1.0)})
    if value == 1:
        assert read_tensors(path)["a"].shape == (200,)
        _flip(path, -50)
    with pytest.raises(ValueError, match="not finite|SHA-256"):
        read_tensors(path)
