"""A small model that can run in eight bits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from backend.card.registry import CARD
from backend.network.vit import build_model
from backend.network.weights import save_model
from tests.backend.conftest import tiny_card
from tests.support.backend.ranges import ranges_of


@pytest.fixture(scope="session")
def ranged_model(tmp_path_factory):
    """A small model whose values stay within bounds, with ranges that its inputs lie in."""
    folder = tmp_path_factory.mktemp("ranged") / "tiny"
    torch.manual_seed(1)
    network, card = build_model(tiny_card()).eval(), tiny_card()
    with torch.no_grad():
        network.head.classify.weight.mul_(8)
    card = save_model(folder, network, card)
    replace(card, activation_ranges=ranges_of(network)).save(folder / CARD)
    return folder
