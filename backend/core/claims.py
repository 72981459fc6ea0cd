"""Keep other runs from an output while it is written, and remove what killed runs left of it.

Who holds the lock of an output owns all temporary files of that output.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.errors import ResourceError
from backend.core.file_lock import FileLock

PART, LOCK = ".sardino-part", ".sardino-lock"
# Rasters made on the way to an output, which are gone when it is there.
SCRATCH = (".radar", ".calibrated")
# Bytes of a name beyond which those of its temporary files are shortened; most file systems allow 255.
LONG_NAME = 160
# Outputs that this process holds.
_held: set[str] = set()


@contextmanager
def claim(path: Path, cancel: Cancel | None = None) -> Iterator[None]:
    """Hold an output, a file or a folder, until the end of the block, and remove what killed runs left of it.

    Args:
        path: The output.
        cancel: Releases it as well where the process ends by force.

    Raises:
        ResourceError: Another run holds it, or its folder can't be written to.
    """
    try:
        lock = FileLock(path.with_name(f"{_start(path)}{LOCK[1:]}"))
    except BlockingIOError as error:
        raise ResourceError(
            f"Another run is writing {path}.", "Wait until it has ended, or choose another output."
        ) from error
    except OSError as error:
        raise ResourceError(
            f"The folder {path.parent} can't be written to ({error.strerror}).", "Choose another output folder."
        ) from error
    _held.add(key(path))
    if cancel is not None:
        cancel.on_deadline(lock.release)
    try:
        if lock.kept:
            _remove_stale(path)
        yield
    finally:
        _held.discard(key(path))
        lock.release()


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold an output as `claim` does, where this process doesn't hold it already."""
    if key(path) in _held:
        yield
    else:
        with claim(path):
            yield


@contextmanager
def scratch(output: Path, suffix: str, cancel: Cancel) -> Iterator[Path]:
    """Name a temporary raster, one of SCRATCH, beside an output; it is removed at the end of the block.

    Args:
        output: What the raster is on the way to.
        suffix: One of SCRATCH.
        cancel: Removes it as well where the process ends by force.
    """
    part = temporary(output, f"{suffix}.tif")

    def remove() -> None:
        with suppress(OSError):
            part.unlink()

    cancel.on_deadline(remove)
    with claimed(output):
        try:
            yield part
        finally:
            remove()


def temporary(output: Path, ending: str) -> Path:
    """Return a new name beside an output, by which the temporary file is known as the output's.

    Args:
        output: The output.
        ending: Such as ".tif", after the kind of the temporary file.
    """
    return output.with_name(f"{_start(output)}{secrets.token_hex(4)}{PART}{ending}")


def key(path: Path) -> str:
    """Return a text that is equal for two names of one file, as far as names show."""
    return os.path.normcase(os.path.realpath(path))


def _start(output: Path) -> str:
    """Return what the names of all temporary files of an output begin with."""
    name = output.name
    if len(os.fsencode(name)) > LONG_NAME:
        # The temporary's name is longer, and the file system must allow it too.
        name = f"{name[: LONG_NAME // 8]}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return f".{name}."


def _remove_stale(output: Path) -> None:
    pattern = re.compile(f"{re.escape(_start(output))}[0-9a-f]{{8}}{re.escape(PART)}", re.DOTALL)
    for old in output.parent.iterdir():
        if pattern.match(old.name):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                with suppress(OSError):
                    old.unlink()
