"""The model folders that the user can choose from: which there are, and what their cards say, without the backend."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import QgsSettings

from ..client.run import run_worker
from ..common.i18n import tr
from ..common.plugin_files import resource
from ..environment import locate

VARIABLE = "SARDINO_MODELS"
SETTING = "sardino/models"
CARD = "card.json"
DEFAULT_MODEL = "sardino-s1-small"  # the backend's own; a test holds the two together
MAX_CARD_BYTES = 1_000_000  # as the backend has it
TITLE_LENGTH = 100


@dataclass(frozen=True)
class InstalledModel:
    """A model folder.

    Attributes:
        name: Name of the folder.
        title: What people read; one line without control characters.
        folder: Its path.
        value: What is said for it in the parameter MODEL: the name where the backend knows it by that, else the path.
        added: Whether the user added it, so that it can be forgotten.
    """

    name: str
    title: str
    folder: str
    value: str
    added: bool = False


def plain(value: Any, length: int = 500) -> str:
    """`value` as one line of at most `length` characters; what can't be printed is replaced.

    Cards come from anywhere: control characters, and those that turn the direction of writing, don't get through.
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[: length + 1])
    return text if len(text) <= length else text[:length] + "…"


def read_card(folder: str | Path) -> dict[str, Any]:
    """The card of a model folder as it stands there, unchecked; empty where it can't be read.

    This is for showing it. Whether a model can be used is for the backend to say: see `check_model`.
    """
    path = Path(folder) / CARD
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            return {}
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _model(folder: Path, value: str, added: bool = False) -> InstalledModel:
    """The title is the folder's name where the card can't be read (the backend will say why)."""
    title = plain(read_card(folder).get("title") or "", TITLE_LENGTH).strip()
    return InstalledModel(folder.name, title or plain(folder.name, TITLE_LENGTH), str(folder), value, added)


def installed_models() -> list[InstalledModel]:
    """Models on the shelves of SARDINO_MODELS and the bundled ones, the first of a name; then those that were added."""
    shelves = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    found: dict[str, InstalledModel] = {}
    for shelf in (*map(Path, shelves), Path(resource("models"))):
        if shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if (folder / CARD).is_file() and folder.name not in found:
                    found[folder.name] = _model(folder, folder.name)
    return [*found.values(), *(_model(Path(folder), folder, added=True) for folder in added_folders())]


def find_model(value: str) -> InstalledModel | None:
    """The model that the parameter MODEL means: a name, a folder, or nothing for the backend's default."""
    wanted = value.strip() or DEFAULT_MODEL
    for model in installed_models():
        if wanted in (model.name, model.value):
            return model
    path = os.path.abspath(wanted)
    return _model(Path(path), path) if os.path.isdir(path) else None


def labelled_models() -> list[tuple[str, str]]:
    """Label and value of each model for a list to choose from; the default first, no label twice."""
    default = find_model("")
    labels = {tr("{} (default)").format(default.title) if default else tr("Bundled model"): ""}
    for model in installed_models():
        if default is None or model.value != default.value:
            label = model.title if model.title not in labels else f"{model.title} ({model.folder})"
            labels[label] = model.value
    return list(labels.items())


# Folders that the user added


def added_folders() -> list[str]:
    """Folders kept in the settings, in the order in which they were added."""
    kept = QgsSettings().value(SETTING) or []
    return [str(kept)] if isinstance(kept, str) else [str(folder) for folder in kept]


def add_folder(folder: str) -> str:
    """Keep a model folder in the settings, unless it is among the installed ones; its absolute path."""
    path = os.path.abspath(folder)
    if path not in {model.folder for model in installed_models()}:
        QgsSettings().setValue(SETTING, [*added_folders(), path])
    return path


def forget_folder(folder: str) -> None:
    """Forget a folder that was added; its files stay."""
    kept = [path for path in added_folders() if path != folder]
    if kept:
        QgsSettings().setValue(SETTING, kept)
    else:
        QgsSettings().remove(SETTING)


def check_model(folder: str, feedback: Any) -> None:
    """Have the backend load a model: card, hash, and every tensor.

    Args:
        folder: The model folder.
        feedback: QgsProcessingFeedback; its cancel is heeded.

    Raises:
        BackendMissingError: There is no backend to ask.
        WorkerCancelledError: `feedback` was cancelled.
        WorkerError: The model can't be used; the message is the backend's.
    """
    command = [locate.find_interpreter(), "-m", "backend", "info", os.path.abspath(folder), "--check"]
    run_worker([*command, "--progress", "json"], str(locate.backend_root()), feedback, tr("Checking the model"))


def model_arguments(value: str) -> list[str]:
    """`--model` for a name or a folder; nothing for an empty value, which means the backend's default model."""
    wanted = value.strip()
    if not wanted:
        return []
    model = find_model(wanted)
    return ["--model", model.value if model is not None else wanted]
