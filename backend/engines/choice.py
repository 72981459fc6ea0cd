"""Which library runs the network: PyTorch, or OpenVINO on a processor where it is installed and the run is long enough.

Cheap to import: an engine that can't be had is refused before anything takes time.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from backend.card.model_card import ModelCard
from backend.core.errors import InputError, ModelError, ResourceError

if TYPE_CHECKING:
    import torch

    from backend.network.vit import SarViT

ENGINES = ("auto", "pytorch", "openvino", "openvino-int8")
# Operations of a run from which on OpenVINO gains more than the second that importing it and converting the network
# takes: about two megapixels with the bundled model.
WORTHWHILE_FLOP = 3e11


def installed() -> bool:
    """Whether OpenVINO can be imported."""
    return importlib.util.find_spec("openvino") is not None


def check_engine(engine: str, device: str, card: ModelCard) -> None:
    """Refuse an engine that was asked for by name and can't be had.

    Args:
        engine: One of ENGINES.
        device: As asked for.
        card: Of the model.

    Raises:
        InputError: OpenVINO on a device that is no processor, or with own classes.
        ModelError: Whole numbers of eight bits, without the card's ranges.
        ResourceError: OpenVINO isn't installed.
    """
    if engine in ("auto", "pytorch"):
        return
    if device not in ("auto", "cpu"):
        raise InputError(
            f"The engine {engine} was asked for on the device {device}; it runs on processors.",
            "Leave one of the two to auto.",
        )
    if card.arch.head == "forest":
        raise InputError(
            f"The engine {engine} was asked for; the model {card.name} decides by a forest, which PyTorch runs.",
            "Use --engine auto.",
        )
    if not installed():
        raise ResourceError(
            f"The engine {engine} was asked for; the package openvino is not installed here.",
            "Install it beside PyTorch (pip install openvino), or use --engine auto.",
        )
    if engine == "openvino-int8" and not card.activation_ranges:
        raise ModelError(
            f"The model {card.name} has no ranges in its card by which it could run in eight bits.",
            "Use --engine openvino, or measure them once with python -m training.quantise MODEL_DIR DATA.",
        )


def choose_engine(engine: str, device: torch.device, card: ModelCard, flop: float) -> str:
    """The engine that will run: as asked for, or for "auto" what a run of `flop` operations is done soonest with."""
    if engine != "auto":
        return engine
    gains = device.type == "cpu" and card.arch.head != "forest" and flop >= WORTHWHILE_FLOP
    return "openvino" if gains and installed() else "pytorch"


def tile_flop(model: SarViT, tile: int) -> float:
    """Operations of one tile, roughly: every weight for every token, and attention."""
    tokens = (tile // model.patch) ** 2
    parameters = sum(p.numel() for p in model.parameters())
    width = int(model.backbone.embed_dim)
    return float(2 * parameters * tokens + 4 * model.depth * tokens**2 * width)
