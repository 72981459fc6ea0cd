"""Read small files whole: regular ones only, since a pipe or device may never end, and up to a bound."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

NOT_A_FILE = "it is not a file but a pipe, socket or device"


def is_special(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is a pipe, socket or device, also through links; False if there is nothing."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the content of a file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        OSError: It can't be read, is not a regular file, or is larger; `strerror` says which.
    """
    if is_special(path):  # before it is opened: opening may already disturb a device
        raise OSError(errno.EINVAL, NOT_A_FILE, str(path))
    # A pipe that takes its place meanwhile doesn't block either.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, NOT_A_FILE, str(path))
        content = file.read(most + 1) if found.st_size <= most else b""
    if found.st_size > most or len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most / 2**20:.4g} MiB", str(path))
    return content


def read_regular_text(path: str | os.PathLike[str], most: int, encoding: str = "utf-8-sig") -> str:
    """Return the text of a file as `read_regular` does; UnicodeDecodeError if it isn't in this encoding."""
    return read_regular(Path(path), most).decode(encoding)
