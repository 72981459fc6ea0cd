"""Run child processes: read their pipes on threads so that neither side blocks, and end them in order."""

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

KEPT_LINES = 40  # of standard error, for error messages
LINE_LIMIT = 1 << 20  # bytes; a longer line is split
KILL_SECONDS = 0.3  # longest wait for a killed process
READER_SECONDS = 0.1  # longest wait for each of the two readers; a grandchild may hold the pipes open


class ChildProcess:
    """Run a child process; a thread reads its output lines into a queue, `lines`, in which None marks the end.

    Standard input stays open while the process is wanted. When it closes, the backend stops, also when QGIS dies.
    """

    def __init__(self, command: Sequence[str], cwd: str, env: Mapping[str, str], merged: bool = False) -> None:
        """Start a program.

        Args:
            command: Program and arguments.
            cwd: Working folder.
            env: Environment variables, all of them.
            merged: Add the lines of standard error to `lines` instead of keeping the last ones.

        Raises:
            OSError: The program can't be started.
        """
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NO_WINDOW
        else:
            # Its own session: Ctrl-C in the terminal of qgis_process then reaches it only through `stop`, and a kill
            # of the process group includes its children.
            options["start_new_session"] = True
        # No shell; the program is the interpreter that the user chose.
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
        """Put `item` into the bounded queue; give up once nobody reads it any more."""
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
        """Return the last lines of standard error, oldest first; complete once the process has ended."""
        if self.process.poll() is not None:
            self._readers[-1].join(timeout=1.0)  # bounded: a grandchild may hold the pipe open
        with self._errors_lock:
            return list(self._errors)

    def forget_errors(self) -> None:
        """Drop the lines that `last_lines` would return, before a warm worker gets its next question."""
        with self._errors_lock:
            self._errors.clear()

    def finished(self, seconds: float) -> bool:
        """Wait up to `seconds`, and return whether the process has ended."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace: float) -> None:
        """Close standard input, which asks the process to end, and kill it after `grace` seconds."""
        self._discard.set()
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it has already ended
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
            pass  # it has ended in the meantime


def output_of(command: Sequence[str], variables: Mapping[str, str], cwd: str | None = None) -> str:
    """Run a program for at most a minute, and return its standard output.

    Raises:
        OSError: The program can't be started.
        subprocess.SubprocessError: It fails, or takes longer.
    """
    options: dict[str, Any] = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    # No shell; the program is one that the user named, or one that comes with QGIS.
    done = subprocess.run(  # nosec B603
        command, env=dict(variables), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
        **options,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")
