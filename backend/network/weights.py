"""Load and save a model folder with PyTorch: checked as `backend.folder` does, loaded strictly, no pickle."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.cancel import Cancel
from backend.folder.read import Tensors, read_tensors
from backend.folder.write import write_model
from backend.graph.probe import kept_values, probe_tile
from backend.network.vit import SarViT, build_model


def load_model(folder: Path, device: str | torch.device = "cpu") -> tuple[SarViT, ModelCard]:
    """Return the model of a folder, in eval mode on a device, and its card.

    The card is validated first, then the weights as `read_tensors` does.

    Raises:
        ModelError: Anything about the folder is missing, damaged or doesn't fit.
    """
    card = ModelCard.load(folder / CARD)
    return network_of(card, read_tensors(folder, card)).to(device).eval(), card


def network_of(card: ModelCard, tensors: Tensors) -> SarViT:
    """Return the network of a card with its tensors."""
    model = build_model(card, initialise=False)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()}, strict=True)
    return model


def save_model(folder: Path, model: SarViT, card: ModelCard, cancel: Cancel | None = None) -> ModelCard:
    """Write a model folder as `write_model` does, with PyTorch's answers to the known tile.

    Args:
        folder: Created where missing.
        model: Trained on any device.
        card: Describes `model`; its hashes are replaced.
        cancel: Ends it before anything gets its name.

    Returns:
        The card with its hashes.

    Raises:
        OSError: It can't be written; an older model is as it was.
        ResourceError: Another run is writing it.
        Cancelled: The run was stopped; an older model is as it was.
    """
    tensors = {name: t.detach().cpu().contiguous().numpy() for name, t in model.state_dict().items()}
    return write_model(folder, tensors, card, known_answers(model, card), cancel)


def known_answers(model: SarViT, card: ModelCard) -> dict[str, list[float]]:
    """Return some values of each output for the tile of `backend.graph.probe`, on the processor, in float32."""
    if next(model.parameters()).device.type != "cpu" or model.training:
        model = copy.deepcopy(model).cpu().eval()
    x = torch.from_numpy(probe_tile(len(card.bands), card.tile))
    names = ["probabilities"]
    names += [f"{kind}_{block}" for kind in ("tokens", "attention") for block in range(card.arch.depth)]
    with torch.inference_mode():
        return {name: kept_values(model.output(x, name).numpy()) for name in names}
