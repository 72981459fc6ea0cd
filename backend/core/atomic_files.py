"""Write files atomically, one or several together: under temporary names first, renamed when all are on the disk."""

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

# A disk with less free space than this counts as full.
FULL_BYTES = 2**20


class Part:
    """A file that is written under a temporary name in the folder of its final name.

    Args:
        path: Final name.
        owner: Output that the file belongs to, if not itself.
        ending: Extension of the temporary name; that of `path` by default.

    Attributes:
        temporary: Temporary name, for `write` or for other writers.

    Raises:
        OSError: All methods but `discard`.
    """

    def __init__(self, path: Path, owner: Path | None = None, ending: str | None = None) -> None:
        self.path = path
        self.temporary = temporary(owner or path, path.suffix if ending is None else ending)

    def write(self, data: bytes) -> None:
        """Create the file, write all its bytes and flush them to the disk."""
        with self.temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def sync(self) -> None:
        """Flush to the disk a file that another writer wrote."""
        with self.temporary.open("r+b") as file:
            os.fsync(file.fileno())

    def place(self, path: Path | None = None) -> None:
        """Rename the file to its final name, or to `path`, replacing an older one; call `sync_folder` afterwards."""
        os.replace(self.temporary, path or self.path)

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        with suppress(OSError):
            self.temporary.unlink()


@contextmanager
def parts_of(paths: Iterable[Path], owner: Path | None = None, cancel: Cancel | None = None) -> Iterator[list[Part]]:
    """Yield a `Part` for each path; remove those not placed, also if the process is ended by force."""
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
    """Write files, and rename them to their final names when all are on the disk.

    Args:
        contents: Bytes by final name.
        cancel: Stops the writing before any file is renamed.

    Raises:
        OSError: Writing fails; older files are unchanged, unless a rename failed after others had succeeded.
        Cancelled: The run was stopped; older files are unchanged.
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
    """Flush renames in a folder to the disk, where the system supports that."""
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
    """Turn OSError and other `kinds` of errors, raised while `path` is written, into refusals.

    Raises:
        ResourceError: `path` can't be written.
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
    # On a full disk libraries report follow-up errors.
    with suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        if free < FULL_BYTES:
            return f"no space is left on the disk ({free} bytes are free)"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.splitlines() or [""])[0].rstrip(".") or type(error).__name__
