"""A child process whose pipes never block: output lines in a queue, its last errors kept, an orderly end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess  # nosec B404
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

KEPT_LINES = 40  # of standard error, for the error message
LINE_LIMIT = 1 << 20  # bytes; a longer line comes in pieces
KILL_SECONDS = 0.3  # at most, for a killed process to be gone
READER_SECONDS = 0.1  # at most, for each of the two readers: what the process started may hold its pipes open


class ChildProcess:
    """A child process with its pipes read on threads, so that neither side ever waits for the other.

    Standard input stays open for as long as the run is wanted: its end tells the worker to stop, also when QGIS dies.
    """

    def __init__(self, command: Sequence[str], cwd: str, env: Mapping[str, str], merged: bool = False) -> None:
        """Start `command` in `cwd`; what it writes to standard error is among `lines` too if `merged`.

        Raises:
            OSError: The program can't be started.
        """
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NO_WINDOW
        else:
            # A session of its own: Ctrl-C in the terminal of qgis_process reaches the worker through us, in order,
            # and a kill takes along what the worker started.
            options["start_new_session"] = True
        # A list of arguments without a shell; the program is the interpreter that the user chose.
        self.process = subprocess.Popen(  # nosec B603
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            **options,
        )
        self.lines: queue.Queue[str | None] = queue.Queue(maxsize=1000)
        self._discard = threading.Event()
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)
        self._errors_lock = threading.Lock()
        self._readers = [threading.Thread(target=self._read_output, args=(self.process.stdout,), daemon=True)]
        if not merged:
            errors = threading.Thread(target=self._read_errors, args=(self.process.stderr,), daemon=True)
            self._readers.append(errors)
        for reader in self._readers:
            reader.start()

    def _read_output(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in iter(lambda: pipe.readline(LINE_LIMIT), b""):
                self._offer(line.decode("utf-8", "replace").rstrip("\r\n"))
        self._offer(None)

    def _offer(self, item: str | None) -> None:
        """Put into the bounded queue, but never hang on it once nobody reads any more."""
        while not self._discard.is_set():
            try:
                self.lines.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def _read_errors(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in iter(lambda: pipe.readline(4096), b""):
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    with self._errors_lock:
                        self._errors.append(text)

    def send(self, line: str) -> None:
        """Write a line to standard input.

        Raises:
            OSError: The process has gone.
        """
        self.process.stdin.write(line.encode("utf-8") + b"\n")
        self.process.stdin.flush()

    def last_lines(self) -> list[str]:
        """The worker's last lines on standard error, oldest first; all of them once it has ended."""
        if self.process.poll() is not None:
            self._readers[-1].join(timeout=1.0)  # not for ever: what it started may hold the pipe open
        with self._errors_lock:
            return list(self._errors)

    def forget_errors(self) -> None:
        """Keep `last_lines` from telling of what is over; for a worker that does one thing after another."""
        with self._errors_lock:
            self._errors.clear()

    def finished(self, seconds: float) -> bool:
        """Whether the process ends within `seconds`."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace: float) -> None:
        """End the process: ask by closing its standard input, kill it after `grace` seconds."""
        self._discard.set()
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it is gone already
        if not self.finished(grace):
            self._kill()
            self.finished(KILL_SECONDS)
        for reader in self._readers:
            reader.join(timeout=READER_SECONDS)

    def _kill(self) -> None:
        try:
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
        except OSError:
            pass  # it ended in between


def output_of(command: Sequence[str], variables: Mapping[str, str], cwd: str | None = None) -> str:
    """What a program writes to standard output; it has a minute.

    Raises:
        OSError, subprocess.SubprocessError: It can't be started, fails, or takes longer.
    """
    options: dict[str, Any] = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    # Words without a shell; the program is one that the user named, or that QGIS came with.
    done = subprocess.run(  # nosec B603
        command, env=dict(variables), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
        **options,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")
