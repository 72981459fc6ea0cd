"""A small model that can run in eight bits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from backend.card.registry import CARD
from backend.network.int8 import layers_of
from backend.network.vit import build_model
from backend.network.weights import save_model
from tests.backend.conftest import tiny_card


@pytest.fixture(scope="session")
def ranged_model(tmp_path_factory):
    """A small model whose values stay within bounds, with ranges that its inputs lie in."""
    folder = tmp_path_factory.mktemp("ranged") / "tiny"
    torch.manual_seed(1)
    network, card = build_model(tiny_card()).eval(), tiny_card()
    with torch.no_grad():
        network.head.classify.weight.mul_(8)
    card = save_model(folder, network, card)
    found: dict[str, list[float]] = {}

    def look(name):
        def hook(_, inputs):
            low, high = float(inputs[0].min()), float(inputs[0].max())
            found[name] = [min(0.0, low), max(0.0, high)]

        return hook

    hooks = [layer.register_forward_pre_hook(look(name)) for name, layer in layers_of(network).items()]
    with torch.inference_mode():
        network(torch.randn(16, 2, 64, 64, generator=torch.Generator().manual_seed(0)))
    for hook in hooks:
        hook.remove()
    replace(card, activation_ranges=found).save(folder / CARD)
    return folder
