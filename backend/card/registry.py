"""Find model folders by name or path. Imports the standard library only."""

from __future__ import annotations

import os
from pathlib import Path

from backend.core.errors import ModelError

DEFAULT_MODEL = "sardino-s1-small"
CARD = "card.json"
WEIGHTS = "model.safetensors"
NETWORK = "network.onnx"


def resources() -> Path:
    """Return the folder of bundled files: in an installed package, else next to it (checkout and plugin)."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "resources"
    return inside if inside.is_dir() else package.parent / "resources"


def _model_folders() -> list[Path]:
    extra = os.environ.get("SARDINO_MODELS", "")
    return [*(Path(part) for part in extra.split(os.pathsep) if part), resources() / "models"]


def installed_models() -> dict[str, Path]:
    """Return the folder of each model by name; those in SARDINO_MODELS take precedence over the bundled ones."""
    found: dict[str, Path] = {}
    for shelf in _model_folders():
        if shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if (folder / CARD).is_file():
                    found.setdefault(folder.name, folder)
    return found


def model_folder(name_or_dir: str | Path | None) -> Path:
    """Return the folder of a model.

    Args:
        name_or_dir: Path, name of an installed model, or None for the default model.

    Raises:
        ModelError: There is neither a folder with a card nor an installed model of that name.
    """
    wanted = str(name_or_dir or DEFAULT_MODEL)
    if os.path.isfile(Path(wanted) / CARD):
        return Path(wanted)
    models = installed_models()
    if wanted in models:
        return models[wanted]
    known = ", ".join(models) or "none"
    raise ModelError(
        f"No model called {wanted!r}; installed: {known}.",
        "Give the name of an installed model, or the path of a folder that holds card.json and model.safetensors.",
    )
