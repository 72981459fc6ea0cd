"""Choose the engine: OpenVINO or ONNX Runtime on a processor, PyTorch on a graphics card.

The choice depends on the request, the model and what is installed, never on the raster's size: the map of an extent
must equal that part of the whole map.

Cheap to import: an engine that isn't available is refused before any slow step, and PyTorch is imported only where
it may find a graphics card, or is to run the model.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.errors import InputError, ModelError, ResourceError
from backend.engines.graphics import may_find_card

PACKAGES = {
    "pytorch": "torch", "openvino": "openvino", "openvino-int8": "openvino", "onnxruntime": "onnxruntime",
}  # fmt: skip
ENGINES = ("auto", *PACKAGES)


def installed(engine: str = "openvino") -> bool:
    """Return whether the package of an engine can be imported."""
    try:
        return importlib.util.find_spec(PACKAGES[engine]) is not None
    except (ImportError, ValueError):  # it is blocked, or half removed
        return False


def check_engine(engine: str, device: str, card: ModelCard) -> None:
    """Refuse an engine or a device that was named and isn't available.

    Args:
        engine: One of ENGINES.
        device: As asked for.
        card: Card of the model.

    Raises:
        InputError: An engine for processors on another device.
        ModelError: Whole numbers of eight bits, without the card's ranges.
        ResourceError: The engine isn't installed.
    """
    if engine in ("auto", "pytorch"):
        if device not in ("auto", "cpu") and not installed("pytorch"):
            raise ResourceError(
                f"The device {device} was asked for; it needs PyTorch, which is not installed here.",
                "Set the device to auto, or set up the backend with PyTorch.",
            )
    elif device not in ("auto", "cpu"):
        raise InputError(
            f"The engine {engine} was asked for on the device {device}; it runs on processors.",
            "Leave one of the two to auto.",
        )
    if engine != "auto" and not installed(engine):
        package = PACKAGES[engine]
        raise ResourceError(
            f"The engine {engine} was asked for; the package {package} is not installed here.",
            f"{_installation(engine)}, or use --engine auto.",
        )
    if engine == "openvino-int8" and not card.activation_ranges:
        hint = "measure them once with python -m training.quantise MODEL_DIR DATA."
        if card.arch.head == "forest":
            hint = "own classes have none."
        raise ModelError(
            f"The model {card.name} has no ranges in its card by which it could run in eight bits.",
            f"Use --engine openvino, or {hint}" if card.arch.head != "forest" else f"Use --engine openvino: {hint}",
        )


def _installation(engine: str) -> str:
    """Return how to install an engine: PyTorch by the plugin's own installation, where the plugin is here."""
    if engine != "pytorch":
        return f"Install it (pip install {PACKAGES[engine]})"
    root = Path(__file__).resolve().parents[2]
    # The backend lies in the plugin's folder, or next to it in a checkout.
    plugin = next(
        (each for each in (root, root / "sardino_qgis") if (each / "environment" / "install.py").exists()), None
    )
    if plugin is None:
        return "Install it (pip install torch timm torchvision)"
    command = f'cd "{plugin.parent}" && python3 -m {plugin.name}.environment install --kind pytorch'
    return f"Set up the backend With PyTorch (in QGIS: Set up backend…; in a shell: {command})"


def engines_for(engine: str, device: str) -> tuple[str, ...]:
    """Return the engine asked for; for "auto" those that can run a model, the best first.

    Raises:
        ResourceError: No engine is installed that can run the model.
    """
    if engine != "auto":
        return (engine,)
    if device not in ("auto", "cpu") or (device == "auto" and may_find_card() and _card_found()):
        return ("pytorch",)
    found = tuple(name for name in ("openvino", "onnxruntime", "pytorch") if installed(name))
    if not found:
        raise ResourceError(
            "No package that runs a model is installed: OpenVINO, ONNX Runtime or PyTorch.", "Set up the backend again."
        )
    return found


def on_processor(engine: str, device: str) -> bool:
    """Return whether a processor is to run a model, without PyTorch; True only where finding out takes no import."""
    if engine == "pytorch" or device not in ("auto", "cpu"):
        return False
    portable = engine != "auto" or installed("openvino") or installed("onnxruntime")
    return portable and (engine != "auto" or device == "cpu" or not may_find_card())


def _card_found() -> bool:
    from backend.engines.pytorch import available_devices

    return available_devices()[0] != "cpu"
