"""Lock a file so that the operating system frees it when the process ends, however it ends.

Not the package filelock: what becomes of the lock file and of file systems without locks differs between its versions
(3.19 is the last for Python 3.9), and where locks are missing it compares process numbers and host names, which
containers share.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

# What `flock` says on file systems that have no locks.
_NO_LOCKS = frozenset((errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP))


class FileLock:
    """A lock on a file that this process made or found.

    Args:
        path: The file; removed when the lock is released.

    Attributes:
        kept: Whether the file system has locks; without, nothing is known of other processes.

    Raises:
        BlockingIOError: Another process, or another lock of this one, holds it.
        OSError: The file can't be made.
    """

    def __init__(self, path: Path) -> None:
        self.kept = True
        self._path = path
        while True:
            self._descriptor: int | None = _open(path)
            try:
                self._take(self._descriptor)
            except OSError:
                os.close(self._descriptor)
                raise
            # Whoever held it may have removed the file after it was opened here: then the lock is on nothing.
            if _is_at(self._descriptor, path):
                return
            os.close(self._descriptor)

    def _take(self, descriptor: int) -> None:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                self.kept = False
                return
            raise BlockingIOError(errno.EAGAIN, "The file is locked", str(self._path)) from error

    def release(self) -> None:
        """Remove the file and free the lock. Does nothing the second time."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # Removed while it is still locked; Windows removes no file that is open.
        if sys.platform == "win32":
            os.close(descriptor)
        with suppress(OSError):
            self._path.unlink()
        if sys.platform != "win32":
            os.close(descriptor)


def _open(path: Path) -> int:
    flags = getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError as denied:
        # Left behind by a killed run of another user: it can be locked, though not written to.
        try:
            return os.open(path, os.O_RDONLY | flags)
        except FileNotFoundError:
            raise denied from None


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
