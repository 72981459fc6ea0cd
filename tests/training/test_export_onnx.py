"""Test the command that writes network.onnx of a folder again, and a file for other programs."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from backend.card.model_card import ModelCard
from backend.card.network_file import NetworkFile
from backend.card.registry import CARD, NETWORK, WEIGHTS
from backend.engines import verify
from backend.graph.onnx_file import from_bytes
from backend.network.vit import build_model
from backend.network.weights import save_model
from tests.backend.conftest import tiny_card
from training.export_onnx import main


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """A small model folder."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("sound") / "tiny"
    save_model(path, build_model(tiny_card()), tiny_card())
    return path


@pytest.fixture
def folder(sound, tmp_path):
    """A folder of an older version: without the file, and with ranges for eight bits."""
    copy = shutil.copytree(sound, tmp_path / "model")
    (copy / NETWORK).unlink()
    card = json.loads((copy / CARD).read_text())
    del card["network"]
    (copy / CARD).write_text(json.dumps({**card, "activation_ranges": {"head.project": [-1.0, 2.0]}}))
    return copy


def test_an_older_folder_gets_the_file(folder, sound):
    before, weights = ModelCard.load(folder / CARD), (folder / WEIGHTS).read_bytes()
    assert before.network == NetworkFile() and main([str(folder), "--progress", "none"]) == 0
    card = ModelCard.load(folder / CARD)
    assert (folder / NETWORK).read_bytes() == (sound / NETWORK).read_bytes()
    assert (folder / WEIGHTS).read_bytes() == weights and card.weights_sha256 == before.weights_sha256
    assert card.activation_ranges == before.activation_ranges
    assert card.network == ModelCard.load(sound / CARD).network


def test_another_answer_is_refused(folder, monkeypatch, capsys):
    monkeypatch.setattr(verify.PortableEngine, "_channels", lambda self, output: 7)
    assert main([str(folder), "--progress", "bar"]) == 1
    assert "channels of probabilities" in capsys.readouterr().err


def test_other_programs_get_the_probabilities_alone(folder, tmp_path):
    card, file = (folder / CARD).read_bytes(), tmp_path / "other.onnx"
    assert main([str(folder), "--probabilities", str(file), "--progress", "none"]) == 0
    graph = from_bytes(file.read_bytes())
    assert graph.outputs == {"probabilities": ("n", 3, 64, 64)} and graph.shape == ("n", 2, 64, 64)
    assert (
        json.loads(graph.metadata["tile_size"]) == 64 and json.loads(graph.metadata["class_names"])["0"] == "Tree cover"
    )
    assert (folder / CARD).read_bytes() == card and not (folder / NETWORK).exists()
