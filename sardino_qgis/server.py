"""A worker that stays between questions: `python -m backend serve`, kept warm while the map tool is in use."""

from __future__ import annotations

import json
import queue
import threading
import time
from typing import Any

from . import environment
from .runner import (
    CANCEL_GRACE_SECONDS,
    POLL_SECONDS,
    Listener,
    WorkerCancelledError,
    WorkerError,
    failure,
    start_worker,
)
from .worker import Worker


class Server:
    """Starts the worker when it is needed, asks one question at a time, and starts anew after its end.

    `warm` and `stop` are called from the main thread, `ask` from a task's.
    """

    def __init__(self) -> None:
        """Nothing runs before `warm` or `ask`."""
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._asking = threading.Lock()

    def warm(self) -> None:
        """Start the worker, so that it has loaded PyTorch by the time of the first question.

        Raises:
            BackendMissingError: No interpreter, or no backend.
            WorkerError: The interpreter can't be started.
        """
        self._running()

    def running(self) -> bool:
        """Whether there is a worker."""
        worker = self._worker
        return worker is not None and worker.process.poll() is None

    def stop(self) -> None:
        """End the worker, whatever it does."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop(CANCEL_GRACE_SECONDS)

    def ask(self, question: dict, feedback: Any, label: str) -> dict:
        """The result event that answers `question`; blocks.

        Args:
            question: As `backend.oracle.Question` says.
            feedback: QgsProcessingFeedback, used from the calling thread.
            label: What is being done, for the progress text.

        Raises:
            BackendMissingError: No interpreter, or no backend.
            WorkerCancelledError: `feedback` was cancelled; the worker has ended.
            WorkerError: The worker refused (it lives on), or died (the next question starts another).
        """
        with self._asking:
            for _ in range(2):
                if feedback.isCanceled():
                    raise WorkerCancelledError()
                worker, fresh = self._running()
                listener = Listener(feedback, label)
                code = self._converse(worker, json.dumps(question), listener, feedback)
                if listener.error is not None:
                    raise WorkerError(str(listener.error.get("message", "")), str(listener.error.get("hint", "")))
                if listener.result is not None:
                    return listener.result
                if fresh or code:
                    break
                # It had been idle for long, and ended in good order just as it was asked: ask another.
            raise failure(code, worker.last_lines(), worker.process.args[0])

    def _running(self) -> tuple[Worker, bool]:
        """The worker, and whether it was started just now."""
        with self._lock:
            if self.running():
                return self._worker, False
            if self._worker is not None:
                self._worker.stop(0)  # close what is left of it
            command = [environment.find_interpreter(), "-m", "backend", "serve"]
            self._worker = start_worker(command, str(environment.backend_root()))
            return self._worker, True

    def _converse(self, worker: Worker, line: str, listener: Listener, feedback: Any) -> int | None:
        """Ask, and hear until there is an answer (None), or the worker has ended (its exit code)."""
        try:
            worker.send(line)
        except (OSError, ValueError):
            pass  # it has gone: what follows says how
        ended_at = None
        while listener.result is None and listener.error is None:
            if feedback.isCanceled():
                self.stop()
                raise WorkerCancelledError()
            try:
                heard = worker.lines.get(timeout=POLL_SECONDS)
            except queue.Empty:
                # Its last lines may still be on their way when it has ended; they end with None, or not at all.
                if worker.process.poll() is not None:
                    ended_at = ended_at or time.monotonic()
                    if time.monotonic() - ended_at > 1.0:
                        return worker.process.returncode
                continue
            if heard is None:
                worker.finished(1.0)
                return worker.process.returncode
            listener.hear(heard)
        return None
