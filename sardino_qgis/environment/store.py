"""Store environments in numbered folders, with a pointer file to the one in use and a lock for changes.

A virtual environment can't be moved, so a new one is built in its final folder, under the next number. It is in use
from the moment when the pointer file is replaced. Folders that the pointer doesn't name (remains of a killed
installation, the older environment) are removed by the next holder of the lock. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

POINTER = "current"
LOCK = "lock"
# Offset of the byte that is locked on Windows: far behind the text, so that others can still read the text.
_LOCKED_BYTE = 1 << 20


class BusyError(Exception):
    """Another process is changing the environment; `process` is its id, or empty where unknown."""

    def __init__(self, process: str) -> None:
        super().__init__(process)
        self.process = process


def interpreter_in(folder: Path) -> Path:
    """Return the interpreter of the virtual environment `folder`; it may not exist."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def current(folder: Path) -> str:
    """Return the number of the environment in use in a managed folder, or an empty string."""
    try:
        name = (folder / POINTER).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return name if name.isdigit() else ""


def current_interpreter(folder: Path) -> Path:
    """Return the interpreter in use in a managed folder, or that of a plain virtual environment; it may not exist."""
    return interpreter_in(folder / current(folder))


def next_folder(folder: Path) -> Path:
    """Return the folder for the next environment. Its name is short, since Windows limits paths to 259 characters."""
    numbers = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    return folder / str(max(numbers, default=0) + 1)


def activate(environment: Path) -> None:
    """Put a complete environment in use, atomically."""
    pointer = environment.parent / POINTER
    part = pointer.with_suffix(".part")
    with open(part, "w", encoding="ascii") as file:
        file.write(environment.name + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, pointer)


def sweep(folder: Path) -> None:
    """Remove every environment that isn't in use. Files that Windows holds open stay until the next call."""
    for path in folder.iterdir():
        if path.name.isdigit() and path.name != current(folder):
            shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path) -> bool:
    """Remove the environment in use, and return whether there was one.

    Raises:
        BusyError: Another process is changing it.
    """
    if not folder.is_dir():
        return False
    with exclusive(folder):
        found = bool(current(folder))
        (folder / POINTER).unlink(missing_ok=True)
        sweep(folder)
    return found


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a managed folder, which is created if needed.

    The operating system releases the lock when its process ends in any way.

    Raises:
        BusyError: Another process, or another part of this one, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "a+", encoding="ascii") as file:
        file.seek(0)
        holder = file.read().strip()
        try:
            _lock(file.fileno())
        except OSError as error:
            raise BusyError(holder) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


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
