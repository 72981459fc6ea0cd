"""Run network.onnx of a folder that was just written, and say where it doesn't give the known answers."""

from __future__ import annotations

from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.errors import SarDinoError
from backend.engines.answer import Answer
from backend.engines.choice import installed
from backend.engines.portable import PortableEngine


def disagreements(folder: Path, card: ModelCard) -> list[str]:
    """Return in words how each output differs; nothing if all are right.

    Args:
        folder: Model folder.
        card: Its card.
    """
    name = next((name for name in ("openvino", "onnxruntime") if installed(name)), "")
    if not name:
        return ["network.onnx was not checked: neither OpenVINO nor ONNX Runtime is installed here."]
    try:
        engine = PortableEngine(name, folder, card, 1)
        engine.prepare(Answer(card.network.outputs))
    except SarDinoError as refusal:
        return [refusal.message]
    return []
