"""Keep other runs from an output while it is written, and remove temporary files that killed runs left.

The run that holds the lock of an output owns all temporary files of that output.
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
# Suffixes of intermediate rasters, removed when their output is complete.
SCRATCH = (".radar", ".calibrated")
# Names of outputs longer than this, in bytes, are shortened in temporary names; most file systems allow 255.
LONG_NAME = 160
# Outputs that this process holds.
_held: set[str] = set()


@contextmanager
def claim(path: Path, cancel: Cancel | None = None) -> Iterator[None]:
    """Hold an output, a file or a folder, until the end of the block; remove what killed runs left of it first.

    Args:
        path: The output.
        cancel: Also releases it if the process is ended by force.

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
    """Hold an output as `claim` does, unless this process holds it already."""
    if key(path) in _held:
        yield
    else:
        with claim(path):
            yield


@contextmanager
def scratch(output: Path, suffix: str, cancel: Cancel) -> Iterator[Path]:
    """Yield a name for an intermediate raster of an output; the raster is removed at the end of the block.

    Args:
        output: Final output.
        suffix: One of SCRATCH.
        cancel: Also removes it if the process is ended by force.
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
    """Return an unused name, in the folder of an output, for a temporary file that belongs to it.

    Args:
        output: The output.
        ending: Extension that fits the kind of the temporary file, such as ".tif".
    """
    return output.with_name(f"{_start(output)}{secrets.token_hex(4)}{PART}{ending}")


def key(path: Path) -> str:
    """Return a text that is equal for two names of one file (links resolved, case as the system has it)."""
    return os.path.normcase(os.path.realpath(path))


def _start(output: Path) -> str:
    """Return the common beginning of the names of all temporary files of an output."""
    name = output.name
    if len(os.fsencode(name)) > LONG_NAME:
        # The temporary name is longer, and must be short enough for the file system too.
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
