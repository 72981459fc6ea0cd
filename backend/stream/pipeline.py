"""Pass work between threads through bounded queues that end at once when a stage fails or the run is cancelled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Callable, Generic, TypeVar

from backend.core.cancel import POLL_S, Cancel

T = TypeVar("T")


class _StoppedError(Exception):
    """Signal that another stage failed; its error is the one to show."""


class Flow:
    """Run threads together: the first error stops all, and is raised where the flow is joined.

    Args:
        cancel: Set by anyone to stop the run.
    """

    def __init__(self, cancel: Cancel) -> None:
        self._cancel = cancel
        self._failed = threading.Event()
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def check(self) -> None:
        """Raise where the run is to stop: Cancelled, or a private signal that another stage failed."""
        if self._failed.is_set():
            raise _StoppedError
        self._cancel.check()

    def start(self, stage: Callable[[], None], name: str) -> None:
        """Run a stage in a thread of its own."""
        thread = threading.Thread(target=self._guard, args=(stage,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self, stage: Callable[[], None]) -> None:
        """Run the last stage in this thread, wait for the others, and raise what went wrong first."""
        self._guard(stage)
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def _guard(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: B036 - carried to `run`, KeyboardInterrupt too, and raised there
            with self._lock:
                if self._error is None:
                    self._error = error
            self._failed.set()


class Pipe(Generic[T]):
    """Pass items from one stage to the next through a bounded queue.

    Args:
        flow: Flow whose end ends the waiting.
        size: Items it holds before the sender waits.
    """

    def __init__(self, flow: Flow, size: int) -> None:
        self._flow = flow
        self._queue: queue.Queue[T | None] = queue.Queue(size)

    def put(self, item: T) -> None:
        """Put an item into the pipe, waiting for a free place."""
        self._put(item)

    def close(self) -> None:
        """Close the pipe: no more items come."""
        self._put(None)

    def __iter__(self) -> Iterator[T]:
        """Return the items in order until the pipe is closed."""
        while True:
            item = self._get()
            if item is None:
                return
            yield item

    def _put(self, item: T | None) -> None:
        while True:
            self._flow.check()
            try:
                return self._queue.put(item, timeout=POLL_S)
            except queue.Full:
                continue

    def _get(self) -> T | None:
        while True:
            self._flow.check()
            try:
                return self._queue.get(timeout=POLL_S)
            except queue.Empty:
                continue
