"""Ask a warm worker: `python -m backend serve`, which stays between runs and loads PyTorch only once."""

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
    """Start a warm worker on demand, ask it one question at a time, and replace it after its end.

    `warm`, `rest` and `close` are called in the main thread, `ask` and `offer` in any.
    """

    def __init__(self) -> None:
        self._worker: ChildProcess | None = None
        self._spec: WorkerSpec | None = None
        self._specs = SpecReader()
        self._endings: list[threading.Thread] = []  # threads that end workers
        self._closed = False
        self._lock = threading.RLock()
        self._asking = threading.Lock()

    def warm(self) -> None:
        """Start the worker so that it loads PyTorch before the first question. Do nothing while it is busy.

        Raises:
            BackendMissingError: There is no interpreter, or no backend.
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
        """Begin to end an idle worker, without waiting for it. The next question starts another one."""
        if self._asking.acquire(blocking=False):
            try:
                self._retire()
            finally:
                self._asking.release()

    def stop(self) -> None:
        """End the worker even if it is busy, and wait until it has ended."""
        self._retire()
        for ending in list(self._endings):
            ending.join()

    def _retire(self) -> None:
        """Begin to end the worker, in a thread since an unresponsive one takes more than a second."""
        with self._lock:
            worker, self._worker = self._worker, None
            self._endings = [ending for ending in self._endings if ending.is_alive()]
            if worker is not None:
                self._endings.append(threading.Thread(target=worker.stop, args=(CANCEL_GRACE_SECONDS,)))
                self._endings[-1].start()

    def close(self) -> None:
        """End the worker even if it is busy, for good. Questions now and later raise WorkerCancelledError."""
        self._closed = True
        self.stop()

    def offer(self, question: dict, feedback: Any, label: str) -> dict | None:
        """Ask like `ask`, but return None at once while the worker is busy with another question."""
        if not self._asking.acquire(blocking=False):
            return None
        try:
            return self._ask(question, feedback, label)
        finally:
            self._asking.release()

    def ask(self, question: dict, feedback: Any, label: str) -> dict:
        """Return the result event for `question`. Wait while the worker answers another question.

        Args:
            question: A run or a question about similarity, as `backend.cli.serve` defines them.
            feedback: QgsProcessingFeedback, used in the calling thread only.
            label: Name of the work for the progress text.

        Raises:
            BackendMissingError: There is no interpreter, or no backend.
            WorkerCancelledError: `feedback` was cancelled, or this client was closed. A worker that was answering this
                question has ended.
            WorkerError: The worker refused (it keeps running), or died (the next question starts another one).
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
            listener.raise_error(worker.process.args[0])
            if listener.result is not None:
                feedback.setProgress(100)
                return listener.result
            if self._closed:
                raise WorkerCancelledError()
            if fresh or code:
                break
            # It ended normally, after its idle time, just as it was asked: ask a new one.
        raise failure(code, worker.last_lines(), worker.process.args[0])

    def _running(self) -> tuple[ChildProcess, bool]:
        """Return a running worker of the present spec, and whether it was started just now."""
        spec = self._specs.read()
        with self._lock:
            if self._closed:
                raise WorkerCancelledError()
            if self.running() and self._spec == spec:
                return self._worker, False
            self._retire()  # outdated, or ended and its pipes must be closed
            self._worker = start_worker(spec.command, spec.root, dict(spec.variables))
            self._spec = spec
            return self._worker, True

    def _converse(self, worker: ChildProcess, line: str, listener: Listener, feedback: Any) -> int | None:
        """Ask and listen. Return None after an answer, or the exit code of a worker that ended without one."""
        try:
            worker.send(line)
        except (OSError, ValueError):
            pass  # it has ended; listening finds out how
        try:
            if listen(worker, listener, feedback, until_answered=True):
                return None
        except WorkerCancelledError:
            self.stop()
            raise
        worker.finished(1.0)
        return worker.process.returncode
