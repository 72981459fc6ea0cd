"""Load a model as a run would, to check that it can be used."""

from __future__ import annotations

from pathlib import Path

from backend.card.model_card import ModelCard
from backend.engines.answer import CLASS_PROBABILITIES
from backend.engines.factory import Engines, Wanted
from backend.folder.read import read_tensors


def check_model(folder: Path, card: ModelCard) -> None:
    """Read the weights of a model, and let the engine that would run it give the known answers.

    Raises:
        ModelError: Weights or network are missing, damaged or don't fit the card.
        ResourceError: Nothing is installed that runs it.
    """
    read_tensors(folder, card)
    engines = Engines(folder, card, Wanted(device="cpu"), lambda level, message: None)
    engines.current.prepare(CLASS_PROBABILITIES)
