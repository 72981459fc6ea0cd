"""Eight bits: rounding, small differences, the check against PyTorch, and the ranges of the card."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.errors import ModelError
from backend.network.int8 import QuantisedLayer, layers_of, quantised
from backend.network.weights import load_model, save_model
from tests.backend.conftest import tiny_card
from tests.support.backend.portable import compiled
from tests.support.backend.reading import mapped

pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")

CPU = torch.device("cpu")


def test_eight_bits_differ_little(ranged_model, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(200, 310))
    _, wanted, _, _ = mapped(ranged_model, scene, tmp_path, "pytorch")
    _, found, facts, _ = mapped(ranged_model, scene, tmp_path, "openvino-int8")
    assert facts["engine"] == "openvino-int8"
    far = np.abs(found - wanted)
    assert 1e-4 < far.max(), "it ran in floats"
    assert far.mean() < 0.02
    assert (found.argmax(axis=0) == wanted.argmax(axis=0)).mean() > 0.95


def test_eight_bits_are_computed_as_whole_numbers(ranged_model):
    network, card = load_model(ranged_model)
    made = compiled(network, card, card.activation_ranges)
    facts = [node.get_rt_info() for node in made._compiled.get_runtime_model().get_ops()]
    kinds = [f["runtimePrecision"].value for f in facts if f["layerType"].value in ("FullyConnected", "Convolution")]
    assert len(kinds) >= len(card.activation_ranges)
    assert sum(kind in ("i8", "u8") for kind in kinds) > len(kinds) / 2


def test_eight_bits_that_overflow_are_refused(make_raster, scene_db, tmp_path, worker_environment):
    """As on a processor without VNNI instructions, to which oneDNN is restricted here."""
    words = ["landcover", make_raster(scene_db(70, 70)), tmp_path / "o.tif"]
    command = [sys.executable, "-m", "backend", *map(str, words), "--engine", "openvino-int8", "--progress", "none"]
    environment = {**worker_environment, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "In eight bits" in done.stderr, done.stderr
    assert "--engine openvino" in done.stderr and not (tmp_path / "o.tif").exists()


def test_quantised_layer_rounds_to_its_steps():
    layer = torch.nn.Linear(4, 3)
    coarse = QuantisedLayer(layer, -1.0, 3.0)
    x = torch.rand(50, 4) * 4 - 1
    step = 4 / 255
    grid = torch.round(x / step) * step
    scale = layer.weight.detach().abs().amax(dim=1, keepdim=True) / 127
    weight = torch.round(layer.weight / scale) * scale
    torch.testing.assert_close(coarse(x), grid @ weight.T + layer.bias, atol=step, rtol=0)
    assert torch.equal(coarse(torch.zeros(1, 4))[0], layer.bias), "what is invalid stays exactly zero"
    outside = torch.full((1, 4), 100.0)
    torch.testing.assert_close(coarse(outside), coarse(torch.full((1, 4), 3.0)), atol=step, rtol=0)


def test_quantised_copies_and_refuses_unknown_names(tiny_model):
    network, _ = load_model(tiny_model)
    names = list(layers_of(network))
    copy = quantised(network, {names[0]: [-1.0, 1.0]})
    assert isinstance(copy.get_submodule(names[0]), QuantisedLayer)
    assert not any(isinstance(part, QuantisedLayer) for part in network.modules())
    with pytest.raises(ValueError, match="no layer of this network is called nobody"):
        quantised(network, {"nobody": [0.0, 1.0]})


@pytest.mark.parametrize(
    ("ranges", "found"),
    [
        ([], "not an object"),
        ({"a": 3}, "wanted \\[low, high\\]"),
        ({"a": [1, 2]}, "is 1, wanted -1000000.0 to 0.0"),
        ({"a": [-1, float("nan")]}, "nan"),
        ({"a": [-1, "2"]}, "wanted a number"),
        ({str(number): [-1, 1] for number in range(3000)}, "at most 2000"),
    ],
)
def test_ranges_of_a_card_are_checked(ranges, found):
    with pytest.raises(ModelError, match=found):
        ModelCard.from_dict({**tiny_card().to_dict(), "activation_ranges": ranges})


def test_ranges_do_not_outlive_their_weights(ranged_model, tmp_path):
    network, card = load_model(ranged_model)
    assert card.activation_ranges
    assert save_model(tmp_path / "same", network, card).activation_ranges == card.activation_ranges
    with torch.no_grad():
        next(network.parameters()).add_(1)
    assert save_model(tmp_path / "other", network, card).activation_ranges == {}


def test_ranges_of_another_network_are_refused(ranged_model, make_raster, scene_db, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(ranged_model, folder)
    card = ModelCard.load(folder / CARD)
    replace(card, activation_ranges={"backbone.blocks.7.mlp.fc1": [-1.0, 1.0]}).save(folder / CARD)
    with pytest.raises(ModelError, match="no layer of this network"):
        mapped(folder, make_raster(scene_db(70, 70)), tmp_path, "openvino-int8")
    assert not (tmp_path / "openvino-int8.tif").exists()
