"""Write the model folder of own classes: it is whole, the older one, or absent."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, NETWORK, WEIGHTS
from backend.core.atomic_files import Part, placed_together, refusing, sync_folder
from backend.core.cancel import Cancel
from backend.core.claims import claim, may_replace, private_folder
from backend.core.errors import InputError
from backend.folder.read import Tensors
from backend.folder.write import Known, write_model
from backend.raster.opening import check_name

OWN_FILES = frozenset((CARD, WEIGHTS, NETWORK))
LEFTOVERS = (f".{WEIGHTS}.", f".{NETWORK}.")
MAX_TITLE = 200  # characters, as a card takes them
# Bytes by which paths grow, at most, while a model folder is written.
LONGEST_FILE = 96


def folder_name(path: Path) -> str:
    """Make the name in the card from that of the folder: lower case, without characters that a card doesn't allow."""
    text = re.sub(r"[^a-z0-9_.-]+", "-", _absolute(path).name.lower()).strip("-_.")
    return text[:64] or "own-classes"


def printable(text: str) -> str:
    """Return a text in one line, without characters that a card doesn't allow, or that have no code in UTF-8."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def title_of(path: Path) -> str:
    """Make a title from the name of a folder."""
    return printable(_absolute(path).name)[:MAX_TITLE] or "Own classes"


@contextmanager
def claim_folder(path: Path, backbone: Path | None, overwrite: bool, cancel: Cancel) -> Iterator[None]:
    """Check the place of a model folder before any work, and keep other runs from it until the end of the block.

    Args:
        path: Folder to write.
        backbone: Model folder that is read; None if none is.
        overwrite: Whether an older model may be replaced. An empty folder always may; one with other files never.
        cancel: Releases the folder if the process is ended by force.

    Raises:
        InputError: The path is a file, a folder with other files, an older model, or the model that is read.
        ResourceError: The parent folder or the folder can't be written to, or another run writes the model.
    """
    path = _absolute(path)
    check_name(str(path))
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    _check_length(path)
    check_older(path, backbone, overwrite)
    with ExitStack() as stack:
        stack.enter_context(claim(path, cancel, overwrite))
        check_older(path, backbone, overwrite)  # again: a run that was waited for may have made one
        if path.is_dir():
            # Its lock shows whether files can be made in the folder.
            stack.enter_context(claim(path / WEIGHTS, cancel, overwrite))
        yield


def check_older(path: Path, backbone: Path | None, overwrite: bool) -> None:
    """Refuse a place of a model folder that holds something else; for arguments and errors see `claim_folder`."""
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise InputError(f"The output {path} is a file.", "Give the name of a folder for the model.")
    if backbone is not None and backbone.exists() and path.samefile(backbone):
        raise InputError(f"The output {path} is the model that provides the backbone.", "Choose another folder.")
    # Leftovers of a killed run in a model folder are removed when the next model is written.
    found = {item.name for item in path.iterdir() if not item.name.startswith(LEFTOVERS)}
    if found - OWN_FILES:
        other = sorted(found - OWN_FILES)[0]
        raise InputError(f"The folder {path} holds {other}, so it is not a model folder.", "Choose a new folder.")
    for name in sorted(found):
        if (path / name).exists() and not (path / name).is_file():
            raise InputError(f"{path / name} is not a file.", "Choose a new folder.")
    if found and not overwrite:
        raise InputError(f"There is a model in {path}.", "Choose another folder, or add --overwrite.")


def _check_length(path: Path) -> None:
    """Refuse a folder whose name, or the path of whose files, is too long for the system."""
    try:
        os.lstat(path / ("x" * LONGEST_FILE))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"The name {path.name} is too long for its file system.", "Give a shorter name."
            ) from error


def write_folder(path: Path, content: tuple[Tensors, Known], card: ModelCard, cancel: Cancel) -> ModelCard:
    """Write a model folder: a new one under a temporary name first, files of an older one as `write_model` does.

    Files of others that appeared in the folder since it was claimed are kept.

    Args:
        path: Folder, claimed by `claim_folder`.
        content: Tensors of the network, and its known answers.
        card: Describes them.
        cancel: Checked before files are renamed; after a cancel the temporary files are removed.

    Returns:
        The card with the hash of the weights.

    Raises:
        ResourceError: The disk is full, another program holds the older files, or a model appeared in a folder that
            was claimed without the right to replace one.
    """
    path = _absolute(path)
    if path.is_dir() and may_replace(path):
        with refusing(path):
            return write_model(path, content[0], card, content[1], cancel)
    part = private_folder(path)

    def remove() -> None:
        shutil.rmtree(part, ignore_errors=True)

    cancel.on_deadline(remove)
    try:
        with refusing(path):
            card = write_model(part / "model", content[0], card, content[1], cancel)
            with cancel.shielded():
                _place(part / "model", path)
    finally:
        remove()
    return card


def _place(made: Path, path: Path) -> None:
    """Give a complete model folder its name, or move its files into a folder that has the name, the card last."""
    if os.path.lexists(path):
        parts = [
            Part(path / name, owner=path, unfinished=made / name)
            for name in (WEIGHTS, NETWORK, CARD)
            if (made / name).exists()
        ]
        with placed_together(parts):
            for part in parts:
                part.place()
    else:
        os.rename(made, path)
    sync_folder(path.parent)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
