"""Stop a run: by a flag that every stage polls, and by a deadline for stages that cannot poll."""

from __future__ import annotations

import math
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Callable

from backend.core.errors import Cancelled

EXIT_CANCELLED = 130
# Seconds after which the process ends although a stage is inside a library (an import, a long GDAL call).
GRACE_S = 1.0
# Signals that end a run, where the system has them: also the end of a terminal, and the limit of processor time.
SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGBREAK")
    if hasattr(signal, name)
)
# Seconds between two looks at the flag by code that waits.
POLL_S = 0.05


class Cancel:
    """Hold a flag that is set by signals, by the end of standard input or by a caller.

    It is a plain attribute, not an Event: a signal handler may interrupt the call that holds an Event's lock.
    """

    def __init__(self) -> None:
        self._set = False
        self._shielded = False
        self._cleanups: list[Callable[[], None]] = []

    def set(self) -> None:
        """Ask the run to stop."""
        self._set = True

    def is_set(self) -> bool:
        """Return whether the run must stop."""
        return self._set

    def check(self) -> None:
        """Raise Cancelled if the run must stop."""
        if self._set:
            raise Cancelled

    def on_deadline(self, cleanup: Callable[[], None]) -> None:
        """Register a call to make before the process is ended by force, such as the removal of temporary files."""
        self._cleanups.append(cleanup)

    @contextmanager
    def cleanup_scope(self) -> Iterator[None]:
        """Scope clean-up calls to one run of a long-lived process: drop those of the block at its end."""
        kept = len(self._cleanups)
        try:
            yield
        finally:
            del self._cleanups[kept:]

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Protect a block, such as the renaming of outputs, from being ended by force; raise Cancelled before it."""
        self.check()
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False

    @contextmanager
    def watching_signals(self) -> Iterator[None]:
        """Let SIGNALS set the flag within a block, and end the process GRACE_S after the flag was set.

        Earlier handlers are restored after the block. Call from the main thread only.
        """
        # `nohup` has SIGHUP ignored: such a run goes on after its terminal is closed.
        kept = getattr(signal, "SIGHUP", None)
        heeded = [n for n in SIGNALS if n != kept or signal.getsignal(n) != signal.SIG_IGN]
        before = {number: signal.signal(number, lambda *_: self.set()) for number in heeded}
        over = threading.Event()
        # Handlers wait until the main thread is back from a library such as GDAL. The interpreter writes the numbers of
        # signals here at once, and the thread that keeps the deadline reads them.
        heard, told = socket.socketpair()
        with heard, told:
            heard.setblocking(False)
            told.setblocking(False)
            earlier = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
            watcher = threading.Thread(target=self._enforce, args=(over, heard), name="deadline", daemon=True)
            watcher.start()
            try:
                yield
            finally:
                over.set()
                signal.set_wakeup_fd(earlier)
                for number, handler in before.items():
                    signal.signal(number, handler)
                watcher.join()

    def watch_stdin(self, heard: Callable[[bytes], None] = lambda chunk: None) -> None:
        """Set the flag when standard input, if it is a pipe or a socket, ends: the parent process is gone.

        Args:
            heard: Called, in a separate thread, with the bytes that arrive before the end.
        """
        try:
            mode = os.fstat(sys.stdin.fileno()).st_mode
        except (AttributeError, OSError, ValueError):
            return
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            threading.Thread(target=self._drain, args=(sys.stdin.fileno(), heard), name="stdin", daemon=True).start()

    def _drain(self, descriptor: int, heard: Callable[[bytes], None]) -> None:
        # On Windows a blocking read of a pipe locks standard input, and native modules that look at it cannot load
        # meanwhile: poll for available bytes there instead.
        waiting = _bytes_waiting if sys.platform == "win32" else None
        with suppress(OSError):
            while waiting is None or self._wait_for_bytes(waiting, descriptor):
                chunk = os.read(descriptor, 4096)
                if not chunk:
                    break
                heard(chunk)
        self.set()

    def _wait_for_bytes(self, waiting: Callable[[int], int], descriptor: int) -> bool:
        """Poll until bytes are available; return False if the run stops first. OSError at the end of the pipe."""
        while not self._set:
            if waiting(descriptor):
                return True
            time.sleep(POLL_S)
        return False

    def _enforce(self, over: threading.Event, heard: socket.socket | None = None) -> None:
        deadline = math.inf
        while time.monotonic() < deadline:
            if over.wait(POLL_S):
                return
            with suppress(OSError):
                if heard is not None and not set(SIGNALS).isdisjoint(heard.recv(64)):
                    self.set()
            if not self._set or self._shielded:
                deadline = math.inf  # what follows a shielded stretch gets the whole time too
            elif deadline == math.inf:
                deadline = time.monotonic() + GRACE_S
        try:
            for cleanup in tuple(self._cleanups):
                # A call that fails must not prevent the others, nor the end of the process.
                with suppress(Exception):
                    cleanup()
        finally:
            os._exit(EXIT_CANCELLED)


def _bytes_waiting(descriptor: int) -> int:
    """Return the number of bytes that a Windows pipe can deliver at once. OSError if its other end is closed."""
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
    raise OSError("Only pipes of Windows can be polled in this way.")
