"""Write files atomically, one or several together: under temporary names first, renamed when all are on the disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.claims import may_replace, temporary
from backend.core.errors import ResourceError
from backend.core.placing import identity, place_new, place_over

# A disk with less free space than this counts as full.
FULL_BYTES = 2**20


class Part:
    """Write a file under a temporary name in the folder of its final name.

    Args:
        path: Final name.
        owner: Output that the file belongs to, if not itself.
        unfinished: Temporary name, if another one than `temporary` gives.

    Attributes:
        temporary: Temporary name, for `write` or for other writers.

    Raises:
        OSError: All methods but `discard`.
    """

    def __init__(self, path: Path, owner: Path | None = None, unfinished: Path | None = None) -> None:
        self.path = path
        self._owner = owner or path
        self.temporary = unfinished or temporary(self._owner, path.suffix)
        self._made: tuple[Path, tuple[int, int]] | None = None

    def write(self, data: bytes) -> None:
        """Create the file, write all its bytes and flush them to the disk. A link at its name is not followed."""
        with self.temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def sync(self) -> None:
        """Flush to the disk a file that another writer wrote."""
        with self.temporary.open("r+b") as file:
            os.fsync(file.fileno())

    def place(self, path: Path | None = None) -> None:
        """Rename the file to its final name, or to `path`; call `sync_folder` afterwards.

        Raises:
            ResourceError: The owner is claimed without the right to replace files, and something has that name.
        """
        target = path or self.path
        if may_replace(self._owner):
            place_over(self.temporary, target)
            return
        made = target, identity(self.temporary)
        try:
            place_new(self.temporary, target)
        except FileExistsError as error:
            raise appeared(target) from error
        self._made = made

    def withdraw(self) -> None:
        """Remove the file if `place` gave it a name that nothing had; an older file that was replaced is lost."""
        made, self._made = self._made, None
        with suppress(OSError):
            if made and identity(made[0]) == made[1]:
                made[0].unlink()

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


@contextmanager
def placed_together(parts: Iterable[Part]) -> Iterator[None]:
    """Withdraw the parts that got a new name within a block if it fails."""
    try:
        yield
    except BaseException:
        for part in parts:
            part.withdraw()
        raise


def appeared(path: Path) -> ResourceError:
    """Return the refusal of a result whose name was taken while it was made."""
    return ResourceError(
        f"{path} appeared during the run. It is kept, and the result of the run is discarded.",
        "Run again with another name, or with --overwrite.",
    )


def write_files(contents: Mapping[Path, bytes], cancel: Cancel | None = None) -> None:
    """Write files, and rename them to their final names when all are on the disk.

    Args:
        contents: Bytes by final name.
        cancel: Stops the writing before any file is renamed.

    Raises:
        OSError: Writing fails; older files are unchanged, unless a rename failed after others had succeeded.
        ResourceError: See `Part.place`; then none of the files is left.
        Cancelled: The run was stopped; older files are unchanged.
    """
    cancel = cancel or Cancel()
    with parts_of(contents, cancel=cancel) as parts:
        for part, data in zip(parts, contents.values()):
            cancel.check()
            part.write(data)
        with cancel.shielded():
            with placed_together(parts):
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
