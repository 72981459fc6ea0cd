"""Load a backbone as own classes use it, and a head that is still to be learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import model_folder
from backend.network.vit import SarViT
from backend.network.weights import load_model
from backend.own_classes.arch import own_arch
from training.dino.backbone import FACTS
from training.study.networks import PRETRAINED, RANDOM, open_networks


def own_network(name: str | None) -> tuple[SarViT, ModelCard, SarViT]:
    """Return a network with the backbone of a model, its card, and the model itself.

    Args:
        name: Name or folder of the model; None for the default.
    """
    source, card = load_model(model_folder(name))
    network, card = _with_empty_head(source, card)
    return network, card, source


def own_backbone(name: str | None, seed: int | None = None) -> tuple[SarViT, ModelCard]:
    """Return a network with the backbone of a model or of a pre-training run, and a card with its sizes and bands.

    Args:
        name: Name or folder of the model, or folder of the run; None for the default model.
        seed: Seed of random weights in place of the backbone's; None for its own.
    """
    is_run = name is not None and (Path(name) / FACTS).is_file()
    if seed is None and not is_run:
        return own_network(name)[:2]
    _, card = load_model(model_folder(None if is_run else name))
    networks = open_networks(name or str(model_folder(None)), card.tile)
    model = networks.model
    card = replace(card, arch=model.arch, bands=model.bands, patch=model.patch)
    return _with_empty_head(networks.frozen(PRETRAINED if seed is None else RANDOM, seed or 0), card)


def _with_empty_head(source: SarViT, card: ModelCard) -> tuple[SarViT, ModelCard]:
    card = replace(card, arch=own_arch(card.arch))
    network = SarViT(card.arch, len(card.bands), card.tile, card.patch, 1).eval()
    network.backbone.load_state_dict(source.backbone.state_dict())
    return network, card
