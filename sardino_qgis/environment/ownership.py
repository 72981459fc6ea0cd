"""Recognise the folders that installations made; folders of others are never removed. Standard library only.

The lock file of a managed folder begins with MARK, and each environment in it holds a file with that line. The file in
a complete environment also lists the other files in its folder, so that files that were added later are noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

POINTER = "current"
LOCK = "lock"
MARK = "Made by SAR Land Cover (DINO)\n"
# The file with MARK in an environment.
MARK_FILE = ".sardino-environment"
# Contents of a lock file: the mark (not in earlier versions), and the process that holds it.
LOCK_TEXT = re.compile(f"({re.escape(MARK)})?([0-9]*)\n?")
# Characters of a lock file or pointer that are read; they are shorter.
MOST = 200
MOST_NAMES = 1 << 16
# Files and folders of virtual environments, with Jupyter's and manuals' folders.
_VENV = frozenset(
    ("bin", "include", "lib", "lib64", "share", "etc", "Scripts", "Include", "Lib", "pyvenv.cfg", ".gitignore",
     "CACHEDIR.TAG", ".lock")
)  # fmt: skip
# Files that desktops put into any folder.
_DESKTOPS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini", ".directory"))


def is_number(name: str) -> bool:
    """Return whether a name is one that environments get."""
    return re.fullmatch("[0-9]+", name) is not None


def current(folder: Path) -> str:
    """Return the number of the environment in use in a managed folder, or an empty string."""
    name = _text(folder / POINTER)
    return name.strip() if re.fullmatch("[0-9]+\n", name) else ""


def foreign_in(folder: Path) -> str:
    """Return the name of something that shows a folder to be of others, or an empty string where it is ours or empty.

    A folder is ours if its lock file has the mark, or if its pointer names an environment that has. Earlier versions
    made no marks: theirs is known by a lock file, a pointer, and a virtual environment that the pointer names.
    """
    if not folder.is_dir() or _text(folder / LOCK).startswith(MARK):
        return ""
    names = {path.name for path in folder.iterdir()} - _DESKTOPS
    locked = LOCK in names and (folder / LOCK).is_file() and LOCK_TEXT.fullmatch(_text(folder / LOCK))
    environment = folder / (current(folder) or "none")
    if _is_marked(environment) or (locked and _is_virtual(environment)):
        return ""
    if locked:
        names.discard(LOCK)  # an installation by an earlier version failed
    return min(names, default="")


def adopt(folder: Path) -> None:
    """Mark the environment in use if an earlier version, which made no marks, installed it."""
    environment = folder / (current(folder) or "none")
    if not _is_marked(environment) and _is_virtual(environment):
        _write_mark(environment, _VENV)


def mark(environment: Path, complete: bool = False) -> None:
    """Mark an environment as made here, with a list of what it consists of when it is complete."""
    _write_mark(environment, [path.name for path in environment.iterdir()] if complete else ())


def may_remove(environment: Path) -> bool:
    """Return whether a folder was made here, and no file was added to it."""
    if environment.is_symlink() or not environment.is_dir():
        return False
    known = _text(environment / MARK_FILE, MOST_NAMES).splitlines()[1:]
    names = {ascii(path.name) for path in environment.iterdir()} - {ascii(MARK_FILE)}
    return _is_marked(environment) and (not known or names <= set(known))


def _is_marked(environment: Path) -> bool:
    return _text(environment / MARK_FILE, MOST_NAMES).startswith(MARK) and not environment.is_symlink()


def _is_virtual(environment: Path) -> bool:
    return (environment / "pyvenv.cfg").is_file() and not environment.is_symlink()


def _text(path: Path, most: int = MOST) -> str:
    """Return a short text file's content; an empty string for a longer file, and for what is no file."""
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > most:
            return ""
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _write_mark(environment: Path, names: Iterable[str]) -> None:
    path = environment / MARK_FILE
    path.unlink(missing_ok=True)  # a link is replaced, not followed
    with open(path, "x", encoding="ascii") as file:
        file.write(MARK + "".join(f"{ascii(name)}\n" for name in sorted(names)))
