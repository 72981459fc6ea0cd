"""List the model folders that the user can choose from, and read their cards, without the backend."""

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
DEFAULT_MODEL = "sardino-s1-small"  # equal to the backend's, which a test checks
MAX_CARD_BYTES = 1_000_000  # the backend's limit
TITLE_LENGTH = 100


@dataclass(frozen=True)
class InstalledModel:
    """Hold a model folder.

    Attributes:
        name: Name of the folder.
        title: Title for users; one line without control characters.
        folder: Path of the folder.
        value: Value of the parameter MODEL: the name if the backend knows the model by it, else the path.
        added: Whether the user added it, and can remove it from the list.
    """

    name: str
    title: str
    folder: str
    value: str
    added: bool = False


def plain(value: Any, length: int = 500) -> str:
    """Return `value` as one line of at most `length` characters, with unprintable characters replaced.

    Cards are untrusted: control characters, and those that change the direction of writing, are unprintable.
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[: length + 1])
    return text if len(text) <= length else text[:length] + "…"


def read_card(folder: str | Path) -> dict[str, Any]:
    """Read the card of a model folder without checking it; return {} if it can't be read.

    It is only shown. The backend decides whether the model can be used: see `check_model`.
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
    """Describe a model folder. The title is the folder's name if the card can't be read."""
    title = plain(read_card(folder).get("title") or "", TITLE_LENGTH).strip()
    return InstalledModel(folder.name, title or plain(folder.name, TITLE_LENGTH), str(folder), value, added)


def installed_models() -> list[InstalledModel]:
    """Return the models in SARDINO_MODELS and the bundled ones, the first of each name, then those that users added."""
    shelves = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    found: dict[str, InstalledModel] = {}
    for shelf in (*map(Path, shelves), Path(resource("models"))):
        if shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if (folder / CARD).is_file() and folder.name not in found:
                    found[folder.name] = _model(folder, folder.name)
    return [*found.values(), *(_model(Path(folder), folder, added=True) for folder in added_folders())]


def find_model(value: str) -> InstalledModel | None:
    """Return the model that a value of MODEL means: a name, a folder, or empty for the backend's default."""
    wanted = value.strip() or DEFAULT_MODEL
    for model in installed_models():
        if wanted in (model.name, model.value):
            return model
    path = os.path.abspath(wanted)
    return _model(Path(path), path) if os.path.isdir(path) else None


def band_names(value: str) -> list[str]:
    """Return the names of the bands of the model that a value of MODEL means, in their order; [] if unknown."""
    model = find_model(value)
    bands = read_card(model.folder).get("bands") if model is not None else None
    return [plain(band.get("name"), 20) for band in bands or [] if isinstance(band, dict)]


def labelled_models() -> list[tuple[str, str]]:
    """Return label and value of each model for a list: the default first, and each label once."""
    default = find_model("")
    labels = {tr("{} (default)").format(default.title) if default else tr("Bundled model"): ""}
    for model in installed_models():
        if default is None or model.value != default.value:
            label = model.title if model.title not in labels else f"{model.title} ({model.folder})"
            labels[label] = model.value
    return list(labels.items())


# Folders that the user added


def added_folders() -> list[str]:
    """Return the folders in the settings, in the order in which they were added."""
    kept = QgsSettings().value(SETTING) or []
    return [str(kept)] if isinstance(kept, str) else [str(folder) for folder in kept]


def add_folder(folder: str) -> str:
    """Add a model folder to the settings, unless it is installed already; return its absolute path."""
    path = os.path.abspath(folder)
    if path not in {model.folder for model in installed_models()}:
        QgsSettings().setValue(SETTING, [*added_folders(), path])
    return path


def forget_folder(folder: str) -> None:
    """Remove a folder from the settings; its files are not deleted."""
    kept = [path for path in added_folders() if path != folder]
    if kept:
        QgsSettings().setValue(SETTING, kept)
    else:
        QgsSettings().remove(SETTING)


def check_model(folder: str, feedback: Any) -> None:
    """Make the backend load a model with its card, hash, and every tensor.

    Args:
        folder: The model folder.
        feedback: QgsProcessingFeedback, asked for a cancel.

    Raises:
        BackendMissingError: There is no backend.
        WorkerCancelledError: `feedback` was cancelled.
        WorkerError: The model can't be used; the message is the backend's.
    """
    command = [locate.find_interpreter(), "-m", "backend", "info", os.path.abspath(folder), "--check"]
    run_worker([*command, "--progress", "json"], str(locate.backend_root()), feedback, tr("Checking the model"))


def model_arguments(value: str) -> list[str]:
    """Return `--model` for a name or a folder; [] for an empty value, which means the backend's default model."""
    wanted = value.strip()
    if not wanted:
        return []
    model = find_model(wanted)
    return ["--model", model.value if model is not None else wanted]
