"""Give files their final names: over older files, whose permissions are kept, or only where nothing has the name."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

# Errors of `link` on file systems without hard links, such as FAT.
_NO_LINKS = frozenset((errno.EPERM, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOTSUP))


def place_new(source: Path, target: Path) -> None:
    """Rename a file, unless a file, a folder or a link, even one to nothing, has the new name.

    Raises:
        FileExistsError: The name is taken; both files are as they were.
        OSError: Renaming fails.
    """
    if sys.platform == "win32":
        os.rename(source, target)  # which fails there if the name is taken
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # An empty file takes the name, if nothing has it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(source, target)
        return
    os.unlink(source)


def place_over(source: Path, target: Path) -> None:
    """Rename a file, replacing an older one; its group and permissions are kept.

    Raises:
        OSError: Renaming fails; both files are as they were.
    """
    _keep_permissions(source, target)
    os.replace(source, target)


def _keep_permissions(source: Path, target: Path) -> None:
    try:
        old, new = target.stat(), source.stat()
    except OSError:
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if sys.platform != "win32" and old.st_gid != new.st_gid:
        try:
            os.chown(source, -1, old.st_gid)
        except OSError:
            # Another group must not get what the older group had.
            mode &= ~0o070 | (mode & 0o007) << 3
    # Some file systems have no permissions.
    with suppress(OSError):
        os.chmod(source, mode)


def identity(path: Path) -> tuple[int, int]:
    """Return the identity of a file or link on this machine. OSError if there is none."""
    found = path.lstat()
    return found.st_dev, found.st_ino
