"""Write a model folder atomically: under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, WEIGHTS
from backend.core.cancel import Cancel
from backend.core.errors import InputError, ResourceError

if TYPE_CHECKING:
    from backend.network.vit import SarViT

PART, OLD = ".sardino-part", ".sardino-old"
OWN_FILES = frozenset((CARD, WEIGHTS))


def folder_name(path: Path) -> str:
    """Make the name in the card from that of the folder: lower case, without characters that a card doesn't allow."""
    text = re.sub(r"[^a-z0-9_.-]+", "-", path.name.lower()).strip("-_.")
    return text[:64] or "own-classes"


def check_folder(path: Path, backbone: Path, overwrite: bool) -> None:
    """Check that a model folder can be written, before any work is done.

    Args:
        path: Folder to write.
        backbone: Model folder that is read.
        overwrite: Whether an older model may be replaced. An empty folder always may; one with other files never.

    Raises:
        InputError: The path is a file, a folder with other files, an older model, or the model that is read.
        ResourceError: The parent folder can't be written to.
    """
    path = _absolute(path)
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.exists():
        if not path.is_dir():
            raise InputError(f"The output {path} is a file.", "Give the name of a folder for the model.")
        if path.samefile(backbone):
            raise InputError(f"The output {path} is the model that provides the backbone.", "Choose another folder.")
        found = {item.name for item in path.iterdir()}
        if found - OWN_FILES:
            other = sorted(found - OWN_FILES)[0]
            raise InputError(f"The folder {path} holds {other}, so it is not a model folder.", "Choose a new folder.")
        if found and not overwrite:
            raise InputError(f"There is a model in {path}.", "Choose another folder, or add --overwrite.")
    part = _sibling(path, PART)
    try:
        part.mkdir(exist_ok=True)
        part.rmdir()
    except OSError as error:
        raise ResourceError(
            f"The folder {path.parent} can't be written to ({error.strerror}).", "Choose another output folder."
        ) from error


def write_folder(path: Path, model: SarViT, card: ModelCard, cancel: Cancel) -> ModelCard:
    """Write a model folder, in place of an older one.

    Args:
        path: Folder, checked by `check_folder`.
        model: Trained network.
        card: Card of `model`.
        cancel: Checked before the folder is renamed; after a cancel the temporary folder is removed.

    Returns:
        The card with the hash of the weights.

    Raises:
        ResourceError: The disk is full, or another program holds the older folder.
    """
    from backend.network.weights import save_model

    path = _absolute(path)
    part, old = _sibling(path, PART), _sibling(path, OLD)

    def remove() -> None:
        shutil.rmtree(part, ignore_errors=True)

    cancel.on_deadline(remove)
    try:
        card = save_model(part, model, card)
        with cancel.shielded():
            if path.exists():
                os.replace(path, old)
            try:
                os.replace(part, path)
            except OSError:
                if old.exists():
                    os.replace(old, path)
                raise
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ResourceError(
            f"The model can't be written to {path} ({error.strerror}).", "Free the disk, or choose another folder."
        ) from error
    finally:
        remove()
    return card


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{suffix}")
