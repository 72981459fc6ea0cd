"""The model folders that the user can choose from, read from their cards without the backend."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from .environment import resource

VARIABLE = "SARDINO_MODELS"
CARD = "card.json"


@dataclass(frozen=True)
class InstalledModel:
    """A model folder: `name` is what the backend calls it, `title` what people read."""

    name: str
    title: str
    folder: str


def _title(folder: Path) -> str:
    """The title on the card; the folder's name where the card can't be read (the backend will say why)."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return str(card["title"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name


def installed_models() -> list[InstalledModel]:
    """Models on the shelves of SARDINO_MODELS, then the bundled ones; the first of a name counts."""
    shelves = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    found: dict[str, InstalledModel] = {}
    for shelf in (*map(Path, shelves), Path(resource("models"))):
        if shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if (folder / CARD).is_file() and folder.name not in found:
                    found[folder.name] = InstalledModel(folder.name, _title(folder), str(folder))
    return list(found.values())


def model_arguments(value: str) -> list[str]:
    """`--model` for a name or a folder; nothing for an empty value, which means the backend's default model."""
    wanted = value.strip()
    if not wanted:
        return []
    if wanted not in {model.name for model in installed_models()} and os.path.isdir(wanted):
        return ["--model", os.path.abspath(wanted)]
    return ["--model", wanted]
