"""Write files that appear whole, and sets of them together, or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.claims import temporary
from backend.core.errors import ResourceError

# A disk with less room than this is full.
FULL_BYTES = 2**20


class Part:
    """A file under a temporary name beside the one that it will get.

    Args:
        path: Final name.
        owner: The output that it belongs to, where that is another file beside it.
        ending: Of the temporary name; that of `path` by default.

    Attributes:
        temporary: Temporary name; other programs than `write` may write there too.

    Raises:
        OSError: In each method but `discard`.
    """

    def __init__(self, path: Path, owner: Path | None = None, ending: str | None = None) -> None:
        self.path = path
        self.temporary = temporary(owner or path, path.suffix if ending is None else ending)

    def write(self, data: bytes) -> None:
        """Write the whole file, to the disk."""
        with self.temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def sync(self) -> None:
        """Bring to the disk what another program wrote."""
        with self.temporary.open("r+b") as file:
            os.fsync(file.fileno())

    def place(self, path: Path | None = None) -> None:
        """Give the file its name, or another, in place of an older file; `sync_folder` makes that last."""
        os.replace(self.temporary, path or self.path)

    def discard(self) -> None:
        """Remove the file, where it has not got its name."""
        with suppress(OSError):
            self.temporary.unlink()


@contextmanager
def parts_of(paths: Iterable[Path], owner: Path | None = None, cancel: Cancel | None = None) -> Iterator[list[Part]]:
    """Yield a part for each path; those that get no name are removed, also where the process ends by force."""
    parts = [Part(path, owner) for path in paths]

    def remove() -> None:
        for part in parts:
            part.discard()

    if cancel is not None:
        cancel.on_deadline(remove)
    try:
        yield parts
    finally:
        remove()


def write_files(contents: Mapping[Path, bytes], cancel: Cancel | None = None) -> None:
    """Write files; they get their names when all are on the disk.

    Raises:
        OSError: Writing fails. Older files are as they were, if no new one has got its name.
        Cancelled: The run was stopped before names were given.
    """
    cancel = cancel or Cancel()
    with parts_of(contents, cancel=cancel) as parts:
        for part, data in zip(parts, contents.values()):
            cancel.check()
            part.write(data)
        with cancel.shielded():
            for part in parts:
                part.place()
            for folder in {path.parent for path in contents}:
                sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Bring names given in a folder to the disk, as far as the system offers that."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def refusing(path: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of the system, and of other `kinds`, that come up while `path` is written into refusals.

    Raises:
        ResourceError: It can't be written.
    """
    caught: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except caught as error:
        raise ResourceError(
            f"{path} can't be written: {_reason(path, error)}.",
            "Check the free space and that no program holds the file.",
        ) from error


def _reason(path: Path, error: Exception) -> str:
    # Of a full disk libraries report whatever failed because of it.
    with suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        if free < FULL_BYTES:
            return f"no space is left on the disk ({free} bytes are free)"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.splitlines() or [""])[0].rstrip(".") or type(error).__name__
