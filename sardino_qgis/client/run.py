"""Talks with the worker process: JSON lines in, progress, log, cancel and errors out to a Processing feedback."""

from __future__ import annotations

import json
import math
import queue
import re
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.i18n import tr
from ..common.process import Worker
from ..environment.locate import setup_hint, worker_environment

POLL_SECONDS = 0.05  # how often cancel is looked at; well above the ten times a second that feel immediate
# Time for the worker to tidy up: it ends itself, its temporary files removed, about 1.1 s after its input is closed.
# With the looks before and the waits after it the whole stays within 2 s.
CANCEL_GRACE_SECONDS = 1.3
END_GRACE_SECONDS = 5.0  # time to exit after the last word
NOISE_LIMIT = 50  # lines of output that are no events, shown in the log
TEXT_SECONDS = 2.0  # least time between two progress texts
_EVENTS = frozenset({"start", "progress", "log", "result", "error"})


class WorkerError(Exception):
    """The worker refused or failed; `message` says what happened, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class WorkerCancelledError(Exception):
    """The user cancelled, and the worker has ended."""


def _event(line: str) -> dict | None:
    """The event on a line of output, or None for anything else."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, dict) and isinstance(event.get("event"), str) and event["event"] in _EVENTS
    return event if known else None


def time_left(seconds: Any) -> str:
    """A rough phrase for the time left, in steps that change seldom; empty where unknown."""
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e7:
        return ""
    if seconds < 60:
        return tr("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("about {} min left").format(minutes)
    return tr("about {hours} h {minutes} min left").format(hours=minutes // 60, minutes=minutes % 60)


class Listener:
    """Turns events into calls of a Processing feedback, and keeps the result or the error."""

    def __init__(self, feedback: Any, label: str) -> None:
        """`feedback` is a QgsProcessingFeedback; `label` names the work in the progress text."""
        self.result: dict | None = None
        self.error: dict | None = None
        self._feedback = feedback
        self._label = label
        self._noise = 0
        self._text = ""
        self._text_at = -math.inf

    def hear(self, line: str) -> None:
        """Take one line of the worker's output; what isn't an event is kept as log, never fatal."""
        event = _event(line)
        if event is None:
            self._hear_noise(line)
        else:
            getattr(self, "_hear_" + event["event"])(event)

    def _hear_noise(self, line: str) -> None:
        self._noise += 1
        if line.strip() and self._noise <= NOISE_LIMIT:
            self._feedback.pushDebugInfo(line[:500])

    def _hear_start(self, event: dict) -> None:
        if event.get("model") == "":
            self._feedback.pushInfo(tr("Backend {}.").format(event.get("version", "?")))
            return
        self._feedback.pushInfo(
            tr("Model {model} on {device}, backend {version}.").format(
                model=event.get("model", "?"),
                device=event.get("device", "?"),
                version=event.get("version", "?"),
            )
        )

    def _hear_progress(self, event: dict) -> None:
        done, total = event.get("done"), event.get("total")
        if not isinstance(done, (int, float)) or not isinstance(total, (int, float)) or not total > 0:
            return
        self._feedback.setProgress(min(100.0, max(0.0, 100.0 * done / total)))
        left = time_left(event.get("eta_s"))
        text = f"{self._label}, {left}" if left else self._label
        # QGIS writes every text into its log too, so: only what is new, and not too often.
        if text != self._text and time.monotonic() - self._text_at >= TEXT_SECONDS:
            self._feedback.setProgressText(text)
            self._text, self._text_at = text, time.monotonic()

    def _hear_log(self, event: dict) -> None:
        push = self._feedback.pushWarning if event.get("level") == "warning" else self._feedback.pushInfo
        push(str(event.get("message", "")))

    def _hear_result(self, event: dict) -> None:
        self.result = event

    def _hear_error(self, event: dict) -> None:
        self.error = event


def _wait(worker: Worker, listener: Listener, feedback: Any) -> None:
    """Hear the worker until its output ends or it exits; raise WorkerCancelledError on cancel."""
    exited_at = None
    while True:
        if feedback.isCanceled():
            worker.stop(CANCEL_GRACE_SECONDS)
            raise WorkerCancelledError()
        try:
            line = worker.lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            # Output can stay open after the worker's end, held by something that it started.
            if worker.process.poll() is not None:
                exited_at = exited_at or time.monotonic()
                if time.monotonic() - exited_at > 1.0:
                    return
            continue
        if line is None:
            return
        listener.hear(line)


def _exit_code(worker: Worker, feedback: Any) -> int | None:
    """The exit code of a worker that has said its last word; None if it had to be made to end."""
    deadline = time.monotonic() + END_GRACE_SECONDS
    while not worker.finished(POLL_SECONDS):
        if feedback.isCanceled():
            worker.stop(CANCEL_GRACE_SECONDS)
            raise WorkerCancelledError()
        if time.monotonic() > deadline:
            worker.stop(0.5)
            return None
    return worker.process.returncode


def _exit_text(code: int | None) -> str:
    if code is None:
        return tr("it closed its output without a result")
    if code < 0:
        return tr("it was killed by signal {}").format(-code)
    return tr("exit code {}").format(code if code < 256 else hex(code))


def failure(code: int | None, lines: Sequence[str], python: str) -> WorkerError:
    """The error for a worker that ended without saying why."""
    tail = "\n".join(lines)
    missing = re.findall(r"ModuleNotFoundError: No module named '([^']+)'|ImportError: (.+)", tail)
    if missing:
        module, trouble = missing[-1]
        what = tr("the Python package '{}' is missing").format(module) if module else trouble
        return WorkerError(
            tr("The backend can't start with {python}: {what}.").format(python=python, what=what),
            setup_hint(),
        )
    message = tr("The backend ended without a result ({}).").format(_exit_text(code))
    if tail:
        message += "\n" + tr("Its last lines:") + "\n" + tail
    hint = tr("Run it again with a smaller extent or batch size, or on the CPU; if it fails again, report these lines.")
    if code in (-signal.SIGABRT, -9):
        hint = tr("The system may have run out of memory.") + " " + hint
    return WorkerError(message, hint)


def start_worker(command: Sequence[str], cwd: str, env: Mapping[str, str] | None = None) -> Worker:
    """Start a backend command; arguments as for `run_worker`.

    Raises:
        WorkerError: The program can't be started.
    """
    try:
        return Worker(command, cwd, worker_environment() if env is None else env)
    except OSError as problem:
        raise WorkerError(
            tr("The Python interpreter {python} can't be started: {problem}").format(
                python=command[0], problem=problem
            ),
            setup_hint(),
        ) from problem


def run_worker(
    command: Sequence[str], cwd: str, feedback: Any, label: str, env: Mapping[str, str] | None = None
) -> dict:
    """Run a backend command to its end, reporting to `feedback`, and return its result event.

    Args:
        command: Program and arguments; the program is the backend's interpreter.
        cwd: Folder that holds `backend/`.
        feedback: A QgsProcessingFeedback (only used from the calling thread).
        label: What is being done, for the progress text.
        env: Environment variables; those of QGIS, cleaned, if None.

    Raises:
        WorkerCancelledError: `feedback` was cancelled; the process has ended, within 2 s.
        WorkerError: The worker refused, failed, couldn't be started, or ended without a result.
    """
    worker = start_worker(command, cwd, env)
    listener = Listener(feedback, label)
    try:
        feedback.setProgressText(tr("Starting the backend"))
        _wait(worker, listener, feedback)
        code = _exit_code(worker, feedback)
    finally:
        worker.stop(0)
    if listener.error is not None:
        raise WorkerError(str(listener.error.get("message", "")), str(listener.error.get("hint", "")))
    # A worker that has written its result but hangs on its way out (code None) has done its work.
    if listener.result is None or code:
        raise failure(code, worker.last_lines(), command[0])
    feedback.setProgress(100)
    return listener.result
