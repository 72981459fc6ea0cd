"""Read a file of a model folder whose size and hash are known, and name those whose card is on the way."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from backend.core.errors import ModelError

PIECE_BYTES = 2**20
SMALL_BYTES = 2**26  # size up to which a file is read before its hash is known
# A file for which a card is on the way.
NEXT = ".sardino-next"
AGAIN = "Copy the model folder again; it is damaged or belongs to another card."


def following(folder: Path, name: str, digest: str) -> Path:
    """Return the name of a file, by its hash, for which a card is on the way or came before it."""
    return folder / f".{name}.{digest[:16]}{NEXT}"


def present(folder: Path, name: str, digest: str) -> Path:
    """Return where a file of a hash lies; under its own name where a card of that hash isn't on the way."""
    path = following(folder, name, digest)
    return path if path.exists() else folder / name


def read_hashed(path: Path, name: str, most: int, digest: str) -> bytes:
    """Read a file of a SHA-256.

    A large one is read twice: one that is refused by its hash takes no memory, and what is used is what was hashed.

    Args:
        path: The file.
        name: Name of the file, for messages.
        most: Bytes that it may have.
        digest: SHA-256 in lower-case hex.

    Raises:
        ModelError: The file is larger than `most`, is no regular file, or has another hash.
        OSError: The file can't be read.
    """
    if path.exists() and not path.is_file():
        raise ModelError(f"{name} is not a file but a folder, pipe or device.", AGAIN)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ModelError(f"{name} has {size} bytes, the card describes at most {most}.", AGAIN)
        content, found = b"", digest if size <= SMALL_BYTES else _digest(file)
        if found == digest:
            file.seek(0)
            content = file.read(size)
            found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelError(f"{name} has SHA-256 {found[:12]}…, the card says {digest[:12]}….", AGAIN)
    return content


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    found = hashlib.sha256()
    for piece in iter(lambda: file.read(PIECE_BYTES), b""):
        found.update(piece)
    return found.hexdigest()


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return number, size and time of a file, which change when it is replaced or written; None without a file."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None
