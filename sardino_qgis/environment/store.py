"""Store environments in numbered folders, with a pointer file to the one in use and a lock for changes.

A virtual environment can't be moved, so a new one is built in its final folder, under the next number. It is in use
from the moment when the pointer file is replaced. Folders that the pointer doesn't name (remains of a killed
installation, the older environment) are removed by the next holder of the lock, if they were made here: the lock file
and a file in each numbered folder say so (`ownership`). Standard library only.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..common.i18n import tr
from . import ownership
from .ownership import LOCK, POINTER, current, foreign_in

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

# Offset of the byte that is locked on Windows: far behind the text, so that others can still read the text.
_LOCKED_BYTE = 1 << 20


class BusyError(Exception):
    """Signal that another process is changing the environment; `process` is its id, or empty where unknown."""

    def __init__(self, process: str) -> None:
        super().__init__(process)
        self.process = process


def interpreter_in(folder: Path) -> Path:
    """Return the interpreter of the virtual environment `folder`; it may not exist."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def current_interpreter(folder: Path) -> Path:
    """Return the interpreter in use in a managed folder, or that of a plain virtual environment; it may not exist."""
    return interpreter_in(folder / current(folder))


def make_next(folder: Path) -> Path:
    """Make a folder for the next environment. Its name is short, since Windows limits paths to 259 characters.

    Raises:
        OSError: It can't be made.
    """
    numbers = [int(path.name) for path in folder.iterdir() if ownership.is_number(path.name)]
    made = folder / str(max(numbers, default=0) + 1)
    made.mkdir()
    ownership.mark(made)
    return made


def activate(environment: Path) -> None:
    """Put a complete environment in use, atomically."""
    ownership.mark(environment, complete=True)
    pointer = environment.parent / POINTER
    part = pointer.with_suffix(".part")
    part.unlink(missing_ok=True)  # of a killed installation
    with open(part, "x", encoding="ascii") as file:
        file.write(environment.name + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, pointer)


def sweep(folder: Path, left: Callable[[Path], None] = lambda path: None) -> None:
    """Remove every environment that was made here and isn't in use.

    Files that Windows holds open stay until the next call.

    Args:
        folder: The managed folder.
        left: Called with each numbered folder that stays, because it was not made here or holds other files.
    """
    for path in folder.iterdir():
        if not ownership.is_number(path.name) or path.name == current(folder):
            continue
        if ownership.may_remove(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            left(path)


def remove(folder: Path, left: Callable[[Path], None] = lambda path: None) -> bool:
    """Remove the environment in use, and return whether there was one; for `left` see `sweep`.

    Raises:
        BusyError: Another process is changing it.
    """
    if not folder.is_dir() or foreign_in(folder):
        return False
    with exclusive(folder):
        found = bool(current(folder))
        if found:
            (folder / POINTER).unlink(missing_ok=True)
        sweep(folder, left)
    return found


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a managed folder, which is created if needed, and mark the folder as made here.

    The operating system releases the lock when its process ends in any way.

    Raises:
        BusyError: Another process, or another part of this one, holds it.
        OSError: It can't be written, or the lock file is another file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Neither a link that somebody laid there is followed, nor a pipe waited for.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | flags, 0o666)
    with open(descriptor, "r+", encoding="ascii", errors="replace") as file:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        text = file.read(ownership.MOST) if regular else "?"
        holder = ownership.LOCK_TEXT.fullmatch(text)
        if holder is None:
            raise FileExistsError(tr("{} is a file of another program.").format(folder / LOCK))
        try:
            _lock(descriptor)
        except OSError as error:
            raise BusyError(holder.group(2)) from error
        _write(file, f"{ownership.MARK}{os.getpid()}\n")
        ownership.adopt(folder)
        try:
            yield
        finally:
            _write(file, ownership.MARK)


def _write(file: TextIO, text: str) -> None:
    # Written before the rest is cut off: whoever reads in between finds the mark.
    file.seek(0)
    file.write(text)
    file.flush()
    file.truncate()


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)


def default_profile(
    plugin: Path, system: str = sys.platform, variables: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Return the QGIS profile that a plugin is installed in, or else the user's default profile, without QGIS.

    Args:
        plugin: The plugin's folder.
        system: As `sys.platform`.
        variables: Environment variables.
        home: The user's home folder; that of this process if None.
    """
    if plugin.parent.name == "plugins" and plugin.parent.parent.name == "python":
        return plugin.parent.parent.parent
    home = home or Path.home()
    if variables.get("QGIS_CUSTOM_CONFIG_PATH"):
        return Path(variables["QGIS_CUSTOM_CONFIG_PATH"]) / "profiles" / "default"
    if system == "win32":
        data = Path(variables.get("APPDATA") or home / "AppData" / "Roaming")
    elif system == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share")
    versions = [data / "QGIS" / name for name in ("QGIS3", "QGIS4")]
    chosen = next((path for path in versions if path.is_dir()), versions[0])
    return chosen / "profiles" / "default"
