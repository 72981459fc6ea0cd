"""Stopping a run: a flag that all stages look at, and a deadline for those that can't look."""

from __future__ import annotations

import math
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Callable

from backend.core.errors import Cancelled

EXIT_CANCELLED = 130
# A stage inside a library (an import, a long GDAL call) gets this long before the process ends without it.
GRACE_S = 1.0
# Whoever waits looks this often whether the run was stopped.
POLL_S = 0.05


class Cancel:
    """A flag that signals, a closed standard input or a caller sets.

    A plain attribute and not an Event: a signal handler may interrupt the very call that would hold an Event's lock.
    """

    def __init__(self) -> None:
        self._set = False
        self._shielded = False
        self._cleanups: list[Callable[[], None]] = []

    def set(self) -> None:
        """Ask for the end of the run."""
        self._set = True

    def is_set(self) -> bool:
        """Whether the run is to end."""
        return self._set

    def check(self) -> None:
        """Raise Cancelled where the run is to end."""
        if self._set:
            raise Cancelled

    def on_deadline(self, cleanup: Callable[[], None]) -> None:
        """Add what must be done before the process ends by force, such as removing temporary files."""
        self._cleanups.append(cleanup)

    @contextmanager
    def cleanup_scope(self) -> Iterator[None]:
        """One run of several in a process: what it adds for the deadline is forgotten at its end, when all is done."""
        kept = len(self._cleanups)
        try:
            yield
        finally:
            del self._cleanups[kept:]

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """A stretch that is finished rather than broken off: giving outputs their names."""
        self.check()
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False

    @contextmanager
    def watching_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM set the flag within a block, and end the process GRACE_S after the flag was set.

        Earlier handlers come back after it, and the process is left alone. Main thread only.
        """
        before = {number: signal.signal(number, lambda *_: self.set()) for number in (signal.SIGINT, signal.SIGTERM)}
        over = threading.Event()
        threading.Thread(target=self._enforce, args=(over,), name="deadline", daemon=True).start()
        try:
            yield
        finally:
            over.set()
            for number, handler in before.items():
                signal.signal(number, handler)

    def watch_stdin(self, heard: Callable[[bytes], None] = lambda chunk: None) -> None:
        """Set the flag when standard input, if it is a pipe or a socket, reaches its end: the parent has gone.

        Args:
            heard: Called with the bytes that come before that, from a thread of its own.
        """
        try:
            mode = os.fstat(sys.stdin.fileno()).st_mode
        except (AttributeError, OSError, ValueError):
            return
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            threading.Thread(target=self._drain, args=(sys.stdin.fileno(), heard), name="stdin", daemon=True).start()

    def _drain(self, descriptor: int, heard: Callable[[bytes], None]) -> None:
        # A thread that waits inside a read of a pipe can keep native modules from loading on Windows (their runtime
        # looks at standard input, which the read has locked): there, it only looks whether something has come.
        waiting = _bytes_waiting if sys.platform == "win32" else None
        with suppress(OSError):
            while waiting is None or self._something_came(waiting, descriptor):
                chunk = os.read(descriptor, 4096)
                if not chunk:
                    break
                heard(chunk)
        self.set()

    def _something_came(self, waiting: Callable[[int], int], descriptor: int) -> bool:
        """Look now and then, without blocking; False when the run ends anyway. OSError at the end of the pipe."""
        while not self._set:
            if waiting(descriptor):
                return True
            time.sleep(POLL_S)
        return False

    def _enforce(self, over: threading.Event) -> None:
        deadline = math.inf
        while time.monotonic() < deadline:
            if over.wait(POLL_S):
                return
            if not self._set or self._shielded:
                deadline = math.inf  # what follows a shielded stretch gets the whole time too
            elif deadline == math.inf:
                deadline = time.monotonic() + GRACE_S
        try:
            for cleanup in tuple(self._cleanups):
                # One that fails must keep neither the others from being done nor the process from ending.
                with suppress(Exception):
                    cleanup()
        finally:
            os._exit(EXIT_CANCELLED)


def _bytes_waiting(descriptor: int) -> int:
    """Bytes that can be read from a pipe of Windows without waiting. OSError when its other end is closed."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt
        from ctypes import wintypes

        peek = ctypes.WinDLL("kernel32", use_last_error=True).PeekNamedPipe
        peek.argtypes = [wintypes.HANDLE, wintypes.LPVOID, wintypes.DWORD, *[wintypes.LPDWORD] * 3]
        count = wintypes.DWORD()
        if not peek(msvcrt.get_osfhandle(descriptor), None, 0, None, ctypes.byref(count), None):
            raise ctypes.WinError(ctypes.get_last_error())
        return count.value
    raise OSError("Pipes can be looked at in this way on Windows only.")
