"""A worker that stays between runs: `python -m backend serve`, which has loaded PyTorch once for all of them."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.i18n import tr
from ..common.process import ChildProcess
from ..environment import locate
from .events import Listener, WorkerCancelledError
from .run import CANCEL_GRACE_SECONDS, failure, listen, start_worker


@dataclass(frozen=True)
class WorkerSpec:
    """All that a worker's answers may depend on beside the question; where it has changed, another one is started."""

    command: tuple[str, ...]
    root: str
    variables: tuple[tuple[str, str], ...]
    changed: tuple[int, ...]

    @staticmethod
    def now() -> WorkerSpec:
        """As a worker would be started now.

        Raises:
            BackendMissingError: No interpreter, or no backend.
        """
        python, root = locate.find_interpreter(), locate.backend_root()
        prefix = Path(python).parent.parent  # of a virtual environment: what is installed there changes its folders
        packages = (*prefix.glob("lib/python3*/site-packages"), prefix / "Lib" / "site-packages")
        code = max((_changed(path) for path in (root / "backend").rglob("*.py")), default=0)
        return WorkerSpec(
            (python, "-m", "backend", "serve"),
            str(root),
            tuple(sorted(locate.worker_environment().items())),
            (code, *map(_changed, packages)),
        )


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class WarmClient:
    """Starts the worker when it is needed, asks one thing at a time, and starts anew after its end.

    `warm`, `rest` and `close` are called from the main thread, `ask` and `offer` from any.
    """

    def __init__(self) -> None:
        """Nothing runs before it is warmed or asked."""
        self._worker: ChildProcess | None = None
        self._spec: WorkerSpec | None = None
        self._closed = False
        self._lock = threading.Lock()
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
        """Whether there is a worker."""
        worker = self._worker
        return worker is not None and worker.process.poll() is None

    def rest(self) -> None:
        """End the worker where it is idle; the next question starts another."""
        if self._asking.acquire(blocking=False):
            try:
                self.stop()
            finally:
                self._asking.release()

    def stop(self) -> None:
        """End the worker, whatever it does."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop(CANCEL_GRACE_SECONDS)

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
        with self._asking:
            return self._ask(question, feedback, label)

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
        start = WorkerSpec.now()
        with self._lock:
            if self._closed:
                raise WorkerCancelledError()
            if self.running() and self._spec == start:
                return self._worker, False
            if self._worker is not None:
                self._worker.stop(CANCEL_GRACE_SECONDS)  # of another start; or close what is left of it
            self._worker = start_worker(start.command, start.root, dict(start.variables))
            self._spec = start
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
