"""Names of outputs: checked before any work, temporary while being written, and those of the files beside them."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from backend.errors import InputError, ResourceError

MARK = ".sardino-part"


def check_output(path: Path, source: str, overwrite: bool) -> None:
    """Refuse an output that can't or mustn't be written, before any work is done.

    Raises:
        InputError: It is the input, it exists and `overwrite` is off, or its folder is missing.
        ResourceError: Its folder can't be written to.
    """
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.is_dir():
        raise InputError(f"The output {path} is a folder.", "Give the name of a file, such as landcover.tif.")
    if path.exists():
        if os.path.exists(source) and os.path.samefile(path, source):
            raise InputError(f"The output {path} is the input.", "Choose another output.")
        if not overwrite:
            raise InputError(f"The output {path} exists.", "Choose another name, or add --overwrite.")
    probe = temporary(path)
    remove_stale(path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ResourceError(
            f"The folder {path.parent} can't be written to ({error.strerror}).", "Choose another output folder."
        ) from error


def temporary(path: Path) -> Path:
    """A name in the same folder that tells whose it is: this machine's, this process's."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{MARK}.tif")


def remove_stale(path: Path) -> None:
    """Remove temporaries of this output that dead processes of this machine left behind."""
    start = f".{path.name}.{socket.gethostname()}."
    for old in path.parent.iterdir():
        middle = old.name[len(start) :].split(".")[0]
        if old.name.startswith(start) and MARK in old.name and middle.isdigit() and not _alive(int(middle)):
            with suppress(OSError):
                old.unlink()


def _alive(process: int) -> bool:
    if process == os.getpid():
        return True
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


def sidecar(path: Path, suffix: str) -> Path:
    """The file that belongs beside a raster: out.qml for .qml, out.tif.aux.xml for .aux.xml."""
    return path.with_suffix(suffix) if suffix == ".qml" else path.with_name(path.name + suffix)
