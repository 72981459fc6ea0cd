"""Calibrating a model scales its logits, keeps its classes, and refuses what has no temperature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.card.arch import Arch
from backend.card.model_card import ModelCard
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model
from tests.support.two_classes import make_folder
from training.calibrate import main
from training.data.dataset import ChipFolder
from training.run.common_config import ModelConfig


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def make_model(folder, data, head):
    card = ModelCard(
        schema_version=1, name="random", title="Random weights", bands=ModelConfig().bands, product="gamma0",
        gsd_m=10.0, arch=Arch("vit_tiny_patch16_224", 32, 2, 2, head=head), tile=32, patch=8, trained_on=(),
        classes=ChipFolder(data, ModelConfig().bands).facts.classes,
    )  # fmt: skip
    torch.manual_seed(0)
    network = build_model(card)
    for parameter in network.head.parameters():
        parameter.data.normal_(0, 0.3)
    save_model(folder, network, card)
    return folder


@pytest.mark.parametrize("head", ["linear", "decoder", "detail"])
def test_logits_are_scaled_and_classes_kept(head, data, tmp_path, capsys):
    model = make_model(tmp_path / "model", data, head)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 2, 32, 32)).astype(np.float32))
    before, _ = load_model(model)
    assert main([str(model), str(data)]) == 0
    after, _ = load_model(model)
    with torch.inference_mode():
        old, new = before(x), after(x)
    factor = float((old * new).sum() / (old * old).sum())
    assert abs(factor - 1) > 0.02
    torch.testing.assert_close(new, factor * old, rtol=1e-3, atol=1e-4)
    assert f"temperature {1 / factor:.2f}" in capsys.readouterr().err


def test_data_without_labels_are_refused(data, tmp_path, capsys):
    model = make_model(tmp_path / "model", data, "linear")
    weights = (model / "model.safetensors").read_bytes()
    assert main([str(model), str(tmp_path / "none"), "--progress", "none"]) == 1
    assert (model / "model.safetensors").read_bytes() == weights
    assert "error" in capsys.readouterr().err
