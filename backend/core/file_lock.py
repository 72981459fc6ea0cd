"""Lock a file so that the operating system frees it when the process ends, however it ends.

The package filelock is not used: its versions differ in whether they remove the lock file (3.19 is the last one for
Python 3.9), and on file systems without locks it compares process numbers and host names, which containers share.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

# Errors of `flock` on file systems without locks.
_NO_LOCKS = frozenset((errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP))


class FileLock:
    """Lock a file exclusively; it is created if missing.

    Args:
        path: The file; removed when the lock is released.

    Attributes:
        kept: Whether the file system has locks; if False, other processes are not excluded.

    Raises:
        BlockingIOError: Another process, or another lock of this process, holds the file.
        OSError: The file cannot be created, or a link, pipe or device has its name.
    """

    def __init__(self, path: Path) -> None:
        self.kept = True
        self._path = path
        while True:
            self._descriptor: int | None = _open(path)
            try:
                _check_kind(self._descriptor, path)
                self._take(self._descriptor)
            except OSError:
                os.close(self._descriptor)
                raise
            # The previous holder may have removed the file after it was opened here: then open the new one.
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
        """Remove the file and free the lock; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # Removed while it is still locked, unless it is another run's by now; Windows cannot remove an open file.
        ours = _is_at(descriptor, self._path)
        if sys.platform == "win32":
            os.close(descriptor)
        with suppress(OSError):
            if ours:
                self._path.unlink()
        if sys.platform != "win32":
            os.close(descriptor)


def _open(path: Path) -> int:
    # Neither a link that another user laid there is followed, nor a pipe waited for.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError as denied:
        # A killed run of another user left the file: it can be locked without write access.
        try:
            return os.open(path, os.O_RDONLY | flags)
        except FileNotFoundError:
            raise denied from None


def _check_kind(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EEXIST, f"{path.name} is not a file", str(path))


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
