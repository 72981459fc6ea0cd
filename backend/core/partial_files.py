"""Names under which outputs are written until they are whole, and to whom the files of such names belong."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.errors import ResourceError

MARK = ".sardino-part"
# Rasters made on the way to an output, which are gone when it is there.
SCRATCH = (".radar", ".calibrated")
# Bytes of a name beyond which its temporary's name is shortened; most file systems bear 255.
LONG_NAME = 160
# Outputs being written by this process.
_held: set[str] = set()


def temporary(path: Path) -> Path:
    """A name in the same folder that tells whose it is: this machine's, this process's."""
    return path.with_name(f"{_prefix(path)}{os.getpid()}{MARK}.tif")


def _prefix(path: Path) -> str:
    """What the names of all temporaries of an output begin with that are made on this machine."""
    name = path.name
    if len(os.fsencode(name)) > LONG_NAME:
        # The temporary's name is longer, and must still be one that the file system bears.
        name = f"{name[: LONG_NAME // 8]}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return f".{name}.{socket.gethostname()}."


def claim(path: Path) -> None:
    """Lay the temporary of an output, so that a second run to it is refused; `unclaim` takes it away.

    Raises:
        ResourceError: Another run on this machine is at work on it, or the folder can't be written to.
    """
    hold(path)
    try:
        temporary(path).touch()
    except OSError as error:
        release(path)
        raise no_folder(path, error) from error
    # After laying one's own: of two runs that begin at the same moment at least one sees the other.
    for old, process in _temporaries(path):
        if process != os.getpid() and _alive(process):
            unclaim(path)
            raise ResourceError(
                f"Another run (process {process}) is writing {path}.",
                f"Wait for its end, or choose another output. If there is no such run, remove {old}.",
            )


def unclaim(path: Path) -> None:
    """Take away what `claim` laid, if it is still there."""
    with suppress(OSError):
        temporary(path).unlink()
    release(path)


def hold(path: Path) -> None:
    """Mark the temporaries of an output as being written by this process."""
    _held.add(key(path))


def release(path: Path) -> None:
    """Take the mark away."""
    _held.discard(key(path))


@contextmanager
def scratch(path: Path, suffix: str, cancel: Cancel) -> Iterator[Path]:
    """A temporary name beside an output for what is made on the way, one of SCRATCH; removed on the way out.

    Args:
        path: The output.
        suffix: What it is.
        cancel: Told, so that it is removed as well where the process ends by force.
    """
    target = path.with_name(path.name + suffix)
    part = temporary(target)

    def remove() -> None:
        with suppress(OSError):
            part.unlink()

    cancel.on_deadline(remove)
    hold(target)
    try:
        yield part
    finally:
        remove()
        release(target)


def remove_stale(path: Path, output: Path) -> None:
    """Remove temporaries of a file that dead processes of this machine left behind.

    A restarted container has the name and process number of the one before it: a temporary of that number is stale
    too, unless this process is at work on it.

    Args:
        path: The file.
        output: The output that it is, or lies beside.
    """
    for old, process in _temporaries(path):
        held = {key(path), key(output)} & _held
        if not held if process == os.getpid() else not _alive(process):
            with suppress(OSError):
                old.unlink()


def _temporaries(path: Path) -> Iterator[tuple[Path, int]]:
    """Temporaries of a file that this machine made, with the processes whose they are."""
    start = _prefix(path)
    for old in path.parent.iterdir():
        middle = old.name[len(start) :].split(".")[0]
        if old.name.startswith(start) and MARK in old.name and middle.isdigit():
            yield old, int(middle)


def _alive(process: int) -> bool:
    if sys.platform == "win32":
        # There a signal of 0 would be Ctrl-C; but a file that a live process holds open can't be removed anyway.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def no_folder(path: Path, error: OSError) -> ResourceError:
    """The refusal of an output whose folder can't be written to."""
    return ResourceError(
        f"The folder {path.parent} can't be written to ({error.strerror}).", "Choose another output folder."
    )


def key(path: Path) -> str:
    """Equal for two names of one file, as far as names tell."""
    return os.path.normcase(os.path.realpath(path))
