"""Write the model folder of own classes: it is whole, the older one, or absent."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, WEIGHTS
from backend.core.atomic_files import refusing, sync_folder
from backend.core.cancel import Cancel
from backend.core.claims import claim, temporary
from backend.core.errors import InputError

if TYPE_CHECKING:
    from backend.network.vit import SarViT

OWN_FILES = frozenset((CARD, WEIGHTS))


def folder_name(path: Path) -> str:
    """Make the name in the card from that of the folder: lower case, without characters that a card doesn't allow."""
    text = re.sub(r"[^a-z0-9_.-]+", "-", path.name.lower()).strip("-_.")
    return text[:64] or "own-classes"


@contextmanager
def claim_folder(path: Path, backbone: Path, overwrite: bool, cancel: Cancel) -> Iterator[None]:
    """Check the place of a model folder before any work, and keep other runs from it until the end of the block.

    Args:
        path: Folder to write.
        backbone: Model folder that is read.
        overwrite: Whether an older model may be replaced. An empty folder always may; one with other files never.
        cancel: Releases the folder if the process is ended by force.

    Raises:
        InputError: The path is a file, a folder with other files, an older model, or the model that is read.
        ResourceError: The parent folder can't be written to, or another run writes the model.
    """
    path = _absolute(path)
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.exists():
        if not path.is_dir():
            raise InputError(f"The output {path} is a file.", "Give the name of a folder for the model.")
        if path.samefile(backbone):
            raise InputError(f"The output {path} is the model that provides the backbone.", "Choose another folder.")
        # Leftovers of a killed run in a model folder are removed when the next model is written.
        found = {item.name for item in path.iterdir() if not item.name.startswith(f".{WEIGHTS}.")}
        if found - OWN_FILES:
            other = sorted(found - OWN_FILES)[0]
            raise InputError(f"The folder {path} holds {other}, so it is not a model folder.", "Choose a new folder.")
        if found and not overwrite:
            raise InputError(f"There is a model in {path}.", "Choose another folder, or add --overwrite.")
    with claim(path, cancel):
        yield


def write_folder(path: Path, model: SarViT, card: ModelCard, cancel: Cancel) -> ModelCard:
    """Write a model folder: a new one under a temporary name first, files of an older one as `save_model` does.

    Args:
        path: Folder, claimed by `claim_folder`.
        model: Trained network.
        card: Card of `model`.
        cancel: Checked before files are renamed; after a cancel the temporary files are removed.

    Returns:
        The card with the hash of the weights.

    Raises:
        ResourceError: The disk is full, or another program holds the older files.
    """
    from backend.network.weights import save_model

    path = _absolute(path)
    part = temporary(path, "")

    def remove() -> None:
        shutil.rmtree(part, ignore_errors=True)

    with refusing(path):
        if path.exists():
            return save_model(path, model, card, cancel)
        cancel.on_deadline(remove)
        try:
            card = save_model(part, model, card, cancel)
            with cancel.shielded():
                os.replace(part, path)
                sync_folder(path.parent)
        finally:
            remove()
    return card


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
