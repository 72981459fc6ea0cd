"""Run a backend command in a process, report its progress to a Processing feedback, and cancel it on request."""

from __future__ import annotations

import queue
import re
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.i18n import tr
from ..common.process import ChildProcess
from ..environment.hints import pytorch_hint, setup_hint
from ..environment.kinds import PYTORCH_PACKAGES, Kind, kind_of
from ..environment.variables import worker_environment
from .events import Listener, WorkerCancelledError, WorkerError

POLL_SECONDS = 0.05  # time between two checks for a cancel
# Time for the worker to clean up: it removes its temporary files and exits about 1.1 s after its input is closed.
# Together with the polling before and the waits after it, a cancel takes less than 2 s.
CANCEL_GRACE_SECONDS = 1.3
END_GRACE_SECONDS = 5.0  # time to exit after the output has ended


def listen(worker: ChildProcess, listener: Listener, feedback: Any, until_answered: bool = False) -> bool:
    """Pass output to `listener` until the worker's output ends or the worker has exited.

    Args:
        worker: Its `lines` are read.
        listener: Takes every line.
        feedback: QgsProcessingFeedback, asked for a cancel.
        until_answered: Return as soon as a result or an error has come.

    Returns:
        Whether it returned because of an answer.

    Raises:
        WorkerCancelledError: `feedback` was cancelled. The worker is still running.
    """
    exited_at = None
    while not (until_answered and listener.answered):
        if feedback.isCanceled():
            raise WorkerCancelledError()
        try:
            line = worker.lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            # The output stays open after the worker's end if a process that it started holds it.
            if worker.process.poll() is not None:
                exited_at = exited_at or time.monotonic()
                if time.monotonic() - exited_at > 1.0:
                    return False
            continue
        if line is None:
            return False
        listener.hear(line)
    return True


def _exit_code(worker: ChildProcess, feedback: Any) -> int | None:
    """Wait for a worker whose output has ended, and return its exit code; None if it had to be killed."""
    deadline = time.monotonic() + END_GRACE_SECONDS
    while not worker.finished(POLL_SECONDS):
        if feedback.isCanceled():
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
    """Return the error for a worker that ended without an error event.

    Args:
        code: Exit code, negative for a signal; None where it had to be killed.
        lines: Its last lines on standard error.
        python: Its interpreter.
    """
    tail = "\n".join(lines)
    missing = re.findall(r"ModuleNotFoundError: No module named '([^']+)'|ImportError: (.+)", tail)
    if missing:
        module, trouble = missing[-1]
        what = tr("the Python package '{}' is missing").format(module) if module else trouble
        return WorkerError(
            tr("The backend can't start with {python}: {what}.").format(python=python, what=what),
            pytorch_hint() if module in PYTORCH_PACKAGES and kind_of(python) is Kind.MAPPING else setup_hint(),
        )
    message = tr("The backend ended without a result ({}).").format(_exit_text(code))
    if tail:
        message += "\n" + tr("Its last lines:") + "\n" + tail
    hint = tr("Run it again with a smaller extent or batch size, or on the CPU; if it fails again, report these lines.")
    if code in (-signal.SIGABRT, -9):
        hint = tr("The system may have run out of memory.") + " " + hint
    return WorkerError(message, hint)


def start_worker(command: Sequence[str], cwd: str, env: Mapping[str, str] | None = None) -> ChildProcess:
    """Start a backend command. The arguments are those of `run_worker`.

    Raises:
        WorkerError: The program can't be started.
    """
    try:
        return ChildProcess(command, cwd, worker_environment() if env is None else env)
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
        feedback: A QgsProcessingFeedback, used in the calling thread only.
        label: Name of the work for the progress text.
        env: Environment variables; those of `worker_environment` if None.

    Raises:
        WorkerCancelledError: `feedback` was cancelled; the process has ended within 2 s.
        WorkerError: The worker refused, failed, couldn't be started, or ended without a result.
    """
    worker = start_worker(command, cwd, env)
    listener = Listener(feedback, label)
    try:
        feedback.setProgressText(tr("Starting the backend"))
        listen(worker, listener, feedback)
        code = _exit_code(worker, feedback)
    except WorkerCancelledError:
        worker.stop(CANCEL_GRACE_SECONDS)
        raise
    finally:
        worker.stop(0)
    listener.raise_error(command[0])
    # A worker that wrote its result but then hung (code None) has done its work.
    if listener.result is None or code:
        raise failure(code, worker.last_lines(), command[0])
    feedback.setProgress(100)
    return listener.result
