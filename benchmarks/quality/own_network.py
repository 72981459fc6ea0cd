"""Load a model as own classes use it: its backbone, and a head that is still to be learnt."""

from __future__ import annotations

from dataclasses import replace

from backend.card.model_card import ModelCard
from backend.card.registry import model_folder
from backend.network.vit import SarViT
from backend.network.weights import load_model
from backend.own_classes.arch import own_arch


def own_network(name: str | None) -> tuple[SarViT, ModelCard, SarViT]:
    """Return a network with the backbone of a model, its card, and the model itself.

    Args:
        name: Name or folder of the model; None for the default.
    """
    source, card = load_model(model_folder(name))
    card = replace(card, arch=own_arch(card.arch))
    network = SarViT(card.arch, len(card.bands), card.tile, card.patch, 1).eval()
    network.backbone.load_state_dict(source.backbone.state_dict())
    return network, card, source
