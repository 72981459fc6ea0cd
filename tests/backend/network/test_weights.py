"""Model folders: exact round trip, and attacks and accidents refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import shutil
import struct

import pytest
import torch
from safetensors.torch import load_file, save

from backend.card.model_card import ModelCard
from backend.card.registry import installed_models, model_folder
from backend.core.errors import ModelError
from backend.network.weights import load_model, save_model


@pytest.fixture
def folder(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copy")


def replace_weights(folder, content: bytes, sign: bool = True) -> None:
    """Put other bytes in place of the weights, with the card's hash made to fit unless told otherwise."""
    (folder / "model.safetensors").write_bytes(content)
    if sign:
        data = json.loads((folder / "card.json").read_text())
        data["weights_sha256"] = hashlib.sha256(content).hexdigest()
        (folder / "card.json").write_text(json.dumps(data))


def test_a_model_survives_saving_and_loading(tiny_model, tmp_path):
    model, card = load_model(tiny_model)
    saved = save_model(tmp_path / "again", model, card)
    again, read = load_model(tmp_path / "again")
    assert read == saved and not again.training
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(x), again(x))


def test_a_wrong_hash_is_refused(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    replace_weights(folder, bytes(content), sign=False)
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(folder)


def test_a_pickle_under_the_right_name_is_refused_and_not_run(folder, tmp_path):
    canary = tmp_path / "canary"

    class Attack:
        def __reduce__(self):
            return (open, (str(canary), "w"))

    replace_weights(folder, pickle.dumps(Attack()))
    with pytest.raises(ModelError):
        load_model(folder)
    assert not canary.exists()


def header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


HOSTILE = {
    "empty": b"",
    "short": b"abc",
    "header of a gigabyte": struct.pack("<Q", 2**30),
    "header beyond 64 bits": struct.pack("<Q", 2**64 - 1) + b"{}",
    "no json": header(b"not json"),
    "offsets outside": header(json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()),
    "overlapping offsets": header(
        json.dumps(
            {
                "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
            }
        ).encode()
    )
    + b"\0" * 12,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused(folder, content):
    replace_weights(folder, content)
    with pytest.raises(ModelError):
        load_model(folder)


def tensors_of(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("backbone.cls_token"),
        lambda t: t.update(extra=torch.zeros(1)),
        lambda t: t.update({"backbone.cls_token": torch.zeros(1, 1, 8)}),
        lambda t: t.update({"backbone.cls_token": t["backbone.cls_token"].half()}),
        lambda t: t.update({"backbone.cls_token": t["backbone.cls_token"] * float("nan")}),
    ],
    ids=["missing", "surplus", "shape", "dtype", "nan"],
)
def test_tensors_that_do_not_fit_are_refused(folder, change):
    tensors = tensors_of(folder)
    change(tensors)
    replace_weights(folder, save(tensors))
    with pytest.raises(ModelError):
        load_model(folder)


def test_a_file_far_larger_than_the_card_says_is_not_read(folder):
    replace_weights(folder, b"\0" * 3_000_000, sign=False)
    with pytest.raises(ModelError, match="bytes"):
        load_model(folder)


def test_a_model_is_found_by_name_path_and_environment(tiny_model, monkeypatch, tmp_path):
    assert model_folder(str(tiny_model)) == tiny_model
    monkeypatch.setenv("SARDINO_MODELS", str(tiny_model.parent))
    assert model_folder("tiny") == tiny_model
    assert "tiny" in installed_models()
    with pytest.raises(ModelError, match="tiny") as caught:
        model_folder("none-such")
    assert caught.value.hint


def test_the_bundled_model_loads_and_says_what_it_is():
    model, card = load_model(model_folder(None))
    assert [band.name for band in card.bands] == ["VV", "VH"]
    assert {item.value for item in card.classes} <= {10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100}
    assert card.trained_on and card.metrics and card.licence
    with torch.inference_mode():
        assert model(torch.zeros(1, 2, card.tile, card.tile)).isfinite().all()


def test_a_card_of_other_sizes_is_refused(folder):
    card = ModelCard.load(folder / "card.json")
    dataclasses.replace(card, arch=dataclasses.replace(card.arch, depth=3)).save(folder / "card.json")
    with pytest.raises(ModelError):
        load_model(folder)
