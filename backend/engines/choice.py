"""Choose the engine: PyTorch, or OpenVINO on a processor where it is installed.

The choice depends on the request, the model and the device, never on the raster's size: the map of an extent must equal
that part of the whole map. For a chip of 256 x 256 pixels importing OpenVINO and converting the bundled model makes a
run take 2.5 s instead of 1.9 s (two cores of an AMD EPYC 9005).

Cheap to import: an engine that can't be had is refused before anything takes time.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from backend.card.model_card import ModelCard
from backend.core.errors import InputError, ModelError, ResourceError

if TYPE_CHECKING:
    import torch

ENGINES = ("auto", "pytorch", "openvino", "openvino-int8")


def installed() -> bool:
    """Return whether OpenVINO can be imported."""
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
            "Install it (pip install openvino), or use --engine auto.",
        )
    if engine == "openvino-int8" and not card.activation_ranges:
        raise ModelError(
            f"The model {card.name} has no ranges in its card by which it could run in eight bits.",
            "Use --engine openvino, or measure them once with python -m training.quantise MODEL_DIR DATA.",
        )


def choose_engine(engine: str, device: torch.device, card: ModelCard) -> str:
    """Return the engine asked for; for "auto" OpenVINO on a processor, where it is installed and runs the head."""
    if engine != "auto":
        return engine
    able = device.type == "cpu" and card.arch.head != "forest"
    return "openvino" if able and installed() else "pytorch"
