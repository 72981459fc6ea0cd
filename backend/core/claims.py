"""Keep other runs from an output while it is written, and remove temporary files that killed runs left.

The run that holds the lock of an output owns all temporary files of that output.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.errors import ResourceError
from backend.core.file_lock import FileLock

PART, LOCK = ".sardino-part", ".sardino-lock"
# Suffixes of intermediate rasters, removed when their output is complete.
SCRATCH = (".radar", ".calibrated", ".hidden", ".floats")
# Names of outputs longer than this, in bytes, are shortened in temporary names; most file systems allow 255.
LONG_NAME = 160
# On Windows files would keep the access rights of a private folder when they are moved out of it.
PRIVATE = 0o777 if sys.platform == "win32" else 0o700
# Random names that are tried for a folder.
TRIES = 100
# Suffix that earlier versions gave to a folder, or a link to one, while they replaced it; links stayed.
OLD = ".sardino-old"
# A run that was killed just now may be held for a moment by a program that it was about to start.
PATIENCE_S, PAUSE_S = 0.5, 0.02
# Outputs that this process holds, and whether older files may be replaced.
_held: dict[str, bool] = {}


@contextmanager
def claim(path: Path, cancel: Cancel | None = None, replace: bool = True) -> Iterator[None]:
    """Hold an output, a file or a folder, until the end of the block; remove what killed runs left of it first.

    Args:
        path: The output.
        cancel: Also releases it if the process is ended by force.
        replace: Whether files that are there when the output is complete may be replaced.

    Raises:
        ResourceError: Another run holds it and goes on doing so for PATIENCE_S, or its folder can't be written to.
        Cancelled: The run was stopped while it waited.
    """
    try:
        lock = _lock(path, cancel or Cancel())
    except BlockingIOError as error:
        raise ResourceError(
            f"Another run is writing {path}.", "Wait until it has ended, or choose another output."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    _held[key(path)] = replace
    if cancel is not None:
        cancel.on_deadline(lock.release)
    try:
        if lock.kept:
            _remove_stale(path)
        yield
    finally:
        _held.pop(key(path), None)
        lock.release()


def _lock(path: Path, cancel: Cancel) -> FileLock:
    """Take the lock of an output, and wait a little for another process that holds it.

    Raises:
        BlockingIOError: It is still held.
        OSError: See `FileLock`.
        Cancelled: The run was stopped.
    """
    last = time.monotonic() + PATIENCE_S
    while True:
        try:
            return FileLock(path.with_name(f"{_start(path)}{LOCK[1:]}"))
        except BlockingIOError:
            if key(path) in _held or time.monotonic() > last:
                raise
        cancel.check()
        time.sleep(PAUSE_S)


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold an output as `claim` does, unless this process holds it already."""
    if key(path) in _held:
        yield
    else:
        with claim(path):
            yield


def may_replace(path: Path) -> bool:
    """Return whether the claim of an output, if this process holds one, allows to replace older files."""
    return _held.get(key(path), True)


@contextmanager
def scratch(output: Path, suffix: str, cancel: Cancel) -> Iterator[Path]:
    """Yield a name for an intermediate raster of an output; the raster is removed at the end of the block.

    Args:
        output: Final output.
        suffix: One of SCRATCH.
        cancel: Also removes it if the process is ended by force.
    """
    with claimed(output):
        folder = private_folder(output)

        def remove() -> None:
            shutil.rmtree(folder, ignore_errors=True)

        cancel.on_deadline(remove)
        try:
            yield folder / f"part{suffix}.tif"
        finally:
            remove()


def temporary(output: Path, ending: str) -> Path:
    """Return an unused name, in the folder of an output, for a temporary file that belongs to it.

    Args:
        output: The output.
        ending: Extension that fits the kind of the temporary file, such as ".tif".
    """
    return output.with_name(f"{_start(output)}{secrets.token_hex(4)}{PART}{ending}")


def private_folder(output: Path) -> Path:
    """Make a folder for temporary files next to an output, into which only this user can put files or links.

    Libraries such as GDAL open their files themselves and follow links.

    Raises:
        ResourceError: It can't be made.
    """
    for tries in range(TRIES):
        folder = temporary(output, "")
        try:
            folder.mkdir(mode=PRIVATE)
        except OSError as error:
            if not isinstance(error, FileExistsError) or tries == TRIES - 1:
                raise _unwritable(output, error) from error
        else:
            break
    return folder


def key(path: Path) -> str:
    """Return a text that is equal for two names of one file (links resolved, case as the system has it)."""
    return os.path.normcase(os.path.realpath(path))


def _unwritable(output: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"The folder {output.parent} can't be written to ({error.strerror}).", "Choose another output folder."
    )


def _start(output: Path) -> str:
    """Return the common beginning of the names of all temporary files of an output."""
    name = output.name
    if len(os.fsencode(name)) > LONG_NAME:
        # The temporary name is longer, and must be short enough for the file system too.
        name = f"{name[: LONG_NAME // 8]}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return f".{name}."


def _remove_stale(output: Path) -> None:
    start = re.escape(_start(output))
    ours = re.compile(rf"{start}[0-9a-f]{{8}}{re.escape(PART)}(\..*)?", re.DOTALL)
    link = re.compile(rf"{start}.+\.[0-9]+{re.escape(OLD)}", re.DOTALL)
    for old in output.parent.iterdir():
        if ours.fullmatch(old.name) or (link.fullmatch(old.name) and old.is_symlink()):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                with suppress(OSError):
                    old.unlink()
