"""A worker that stays between runs: `python -m backend serve`, which has loaded PyTorch once for all of them."""

from __future__ import annotations

import json
import threading
from typing import Any

from ..common.i18n import tr
from ..common.process import ChildProcess
from .events import Listener, WorkerCancelledError
from .run import CANCEL_GRACE_SECONDS, POLL_SECONDS, failure, listen, start_worker
from .worker_spec import SpecReader, WorkerSpec


class WarmClient:
    """Starts the worker when it is needed, asks one thing at a time, and starts anew after its end.

    `warm`, `rest` and `close` are called from the main thread, `ask` and `offer` from any.
    """

    def __init__(self) -> None:
        self._worker: ChildProcess | None = None
        self._spec: WorkerSpec | None = None
        self._specs = SpecReader()
        self._endings: list[threading.Thread] = []  # of workers that are being ended
        self._closed = False
        self._lock = threading.RLock()
        self._asking = threading.Lock()

    def warm(self) -> None:
        """Start the worker, so that it has loaded PyTorch by the time it is asked; nothing where it is at work.

        Raises:
            BackendMissingError: No interpreter, or no backend.
            WorkerError: The interpreter can't be started.
        """
        if self._asking.acquire(blocking=False):
            try:
                self._running()
            finally:
                self._asking.release()

    def running(self) -> bool:
        worker = self._worker
        return worker is not None and worker.process.poll() is None

    def rest(self) -> None:
        """Begin to end the worker where it is idle, without waiting; the next question starts another."""
        if self._asking.acquire(blocking=False):
            try:
                self._retire()
            finally:
                self._asking.release()

    def stop(self) -> None:
        """End the worker, whatever it does, and wait until it has gone."""
        self._retire()
        for ending in list(self._endings):
            ending.join()

    def _retire(self) -> None:
        """Begin to end the worker in a thread: a process that doesn't react takes more than a second."""
        with self._lock:
            worker, self._worker = self._worker, None
            self._endings = [ending for ending in self._endings if ending.is_alive()]
            if worker is not None:
                self._endings.append(threading.Thread(target=worker.stop, args=(CANCEL_GRACE_SECONDS,)))
                self._endings[-1].start()

    def close(self) -> None:
        """End the worker, whatever it does, for good: who asks meanwhile or later is told of a cancel."""
        self._closed = True
        self.stop()

    def offer(self, question: dict, feedback: Any, label: str) -> dict | None:
        """As `ask`, but None, without a wait, where the worker is at work on something else."""
        if not self._asking.acquire(blocking=False):
            return None
        try:
            return self._ask(question, feedback, label)
        finally:
            self._asking.release()

    def ask(self, question: dict, feedback: Any, label: str) -> dict:
        """The result event that answers `question`; blocks, at first until the worker has answered others.

        Args:
            question: As `backend.cli.serve` says: a run, or a question about similarity.
            feedback: QgsProcessingFeedback, used from the calling thread.
            label: What is being done, for the progress text.

        Raises:
            BackendMissingError: No interpreter, or no backend.
            WorkerCancelledError: `feedback` was cancelled, or this closed; the worker has ended.
            WorkerError: The worker refused (it lives on), or died (the next question starts another).
        """
        while not self._asking.acquire(timeout=POLL_SECONDS):
            if self._closed or feedback.isCanceled():
                raise WorkerCancelledError()
        try:
            return self._ask(question, feedback, label)
        finally:
            self._asking.release()

    def _ask(self, question: dict, feedback: Any, label: str) -> dict:
        for _ in range(2):
            if feedback.isCanceled():
                raise WorkerCancelledError()
            worker, fresh = self._running()
            if fresh:
                feedback.setProgressText(tr("Starting the backend"))
            else:
                worker.forget_errors()
                feedback.pushDebugInfo(tr("The worker is running already (process {}).").format(worker.process.pid))
            listener = Listener(feedback, label)
            code = self._converse(worker, json.dumps(question), listener, feedback)
            listener.raise_error()
            if listener.result is not None:
                feedback.setProgress(100)
                return listener.result
            if self._closed:
                raise WorkerCancelledError()
            if fresh or code:
                break
            # It had been idle for long, and ended in good order just as it was asked: ask another.
        raise failure(code, worker.last_lines(), worker.process.args[0])

    def _running(self) -> tuple[ChildProcess, bool]:
        """The worker, and whether it was started just now."""
        spec = self._specs.read()
        with self._lock:
            if self._closed:
                raise WorkerCancelledError()
            if self.running() and self._spec == spec:
                return self._worker, False
            self._retire()  # it is outdated, or has ended and its pipes are to be closed
            self._worker = start_worker(spec.command, spec.root, dict(spec.variables))
            self._spec = spec
            return self._worker, True

    def _converse(self, worker: ChildProcess, line: str, listener: Listener, feedback: Any) -> int | None:
        """Ask, and hear until there is an answer (None), or the worker has ended (its exit code)."""
        try:
            worker.send(line)
        except (OSError, ValueError):
            pass  # it has gone: what follows says how
        try:
            if listen(worker, listener, feedback, until_answered=True):
                return None
        except WorkerCancelledError:
            self.stop()
            raise
        worker.finished(1.0)
        return worker.process.returncode
