"""Map an archive with Dask distributed: on this machine, or on the workers of a scheduler that runs already.

Scenes are claimed on the disk of the results as without Dask, so that workers and schedulers may die, and other
processes may help. Through the scheduler go names, paths and small facts alone.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from backend.archive.attempts import AttemptBook, Attempts
from backend.archive.folder import ArchiveFolder
from backend.archive.remote import FATAL, Answer, run_scene
from backend.archive.request import ArchiveRequest
from backend.archive.scene_run import DONE, FAILED, LOST
from backend.archive.units import Unit
from backend.archive.worker import WAIT_S, State
from backend.core.cancel import POLL_S
from backend.core.errors import ResourceError
from backend.engines.graphics import usable_cards
from backend.maps.request import MapContext

LOCAL = "local"
# Scenes that wait at the scheduler, for each worker; the others wait here.
AHEAD = 3
# Seconds to reach a scheduler, to wait for an answer before the cancel is looked at, and to close.
CONNECT_S, ANSWER_S, CLOSE_S = 20.0, 0.2, 5.0
CORES = 2
# Threads of each library; Dask sets those that aren't given to 1.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Dask's own messages that are shown: of logging.CRITICAL and above.
QUIET = 50
# Rounds without any progress after which the run ends.
MOST_IDLE = 5


def run_on_cluster(request: ArchiveRequest, units: Sequence[Unit], folder: ArchiveFolder, context: MapContext) -> State:
    """Map the units of an archive on a cluster until all are finished or given up.

    Raises:
        ResourceError: Dask isn't installed, the scheduler can't be reached or has gone, or no worker can map.
        Cancelled: The run was stopped.
    """
    request, run = request.anywhere(), f"run{secrets.token_hex(4)}"
    book = AttemptBook(folder, run, request.retries, request.dead_after)
    local = request.cluster == LOCAL
    if local:
        # Its processes end with this one.
        context.cancel.on_deadline(lambda: book.release_all(run))
    try:
        with _client(request, context) as client:
            return _Rounds(request, units, book, context, client, run).work()
    finally:
        if local:
            book.release_all(run)
        book.close()


class _Rounds:
    """Send scenes to a cluster in rounds: those that are free, then those that failed or whose worker died."""

    def __init__(
        self,
        request: ArchiveRequest,
        units: Sequence[Unit],
        book: AttemptBook,
        context: MapContext,
        client: Any,
        run: str,
    ) -> None:
        self._request, self._units, self._book, self._context = request, units, book, context
        self._client, self._run, self._state = client, run, State()
        self._running: dict[Any, str] = {}

    def work(self) -> State:
        """Run rounds until nothing is left to do."""
        pause, idle = POLL_S, 0
        while True:
            ready = self._ready()
            if not ready and (self._state.held == 0 or not self._request.wait):
                if self._state.held == 0:
                    self._book.sweep(self._state.finished)
                return self._state
            before = len(self._state.finished)
            self._send(ready)
            idle = 0 if len(self._state.finished) > before or not ready else idle + 1
            if idle > MOST_IDLE + self._request.retries:
                raise ResourceError("The cluster finishes no scene.", "Look at the logs of its workers.")
            deadline = time.monotonic() + pause
            while time.monotonic() < deadline:
                self._context.cancel.check()
                time.sleep(POLL_S)
            pause = min(2 * pause, WAIT_S, self._book.dead_after / 4)

    def _ready(self) -> list[tuple[Unit, int]]:
        """Return the scenes that may be done now, with the number of their last attempt."""
        state, found = self._state, []
        attempts = self._book.listing()
        state.finished = self._book.folder.finished() & {unit.name for unit in self._units}
        state.held, state.given_up = 0, {}
        for unit in self._units:
            if unit.name in state.finished:
                continue
            before = attempts.get(unit.name, Attempts())
            may = self._book.may_follow(unit.name, before, unit.rest)
            if may:
                found.append((unit, before.last))
            elif may is None:
                state.held += 1
            else:
                state.given_up[unit.name] = self._book.reason(unit.name, before)
        return found

    def _send(self, ready: Sequence[tuple[Unit, int]]) -> None:
        from distributed import TimeoutError as Waited
        from distributed import wait

        waiting = list(reversed(ready))
        while waiting or self._running:
            self._context.cancel.check()
            with _reaching(self._request):
                ahead = AHEAD * max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
                while waiting and len(self._running) < ahead:
                    unit, after = waiting.pop()
                    key = f"{unit.name}-{secrets.token_hex(4)}"
                    future = self._client.submit(run_scene, self._request, self._run, unit, after, key=key, pure=False)
                    self._running[future] = unit.name
                with suppress(Waited):
                    wait(list(self._running), timeout=ANSWER_S, return_when="FIRST_COMPLETED")
            for future in [future for future in self._running if future.done()]:
                self._take(future, self._running.pop(future))

    def _take(self, future: Any, name: str) -> None:
        """Note an answer. A scene without one, since its worker died or the scheduler forgot it, comes again."""
        reporter = self._context.reporter
        if future.status != "finished":
            if self._client.status != "running":
                raise _gone(self._request)
            reporter.log("warning", f"{name}: its worker gave no answer ({future.status}).")
            return
        answer: Answer = future.result()
        for warning in answer.warnings:
            reporter.log("warning", warning)
        if answer.kind == FATAL:
            raise ResourceError(f"A worker has stopped: {answer.message}", answer.hint)
        if answer.kind == FAILED:
            reporter.log("warning", f"{name} failed: {answer.message}")
        if answer.kind == DONE:
            self._state.made.add(name)
        if answer.kind in (DONE, LOST):
            self._state.finished.add(name)
            reporter.progress(len(self._state.finished), len(self._units))


@contextmanager
def _client(request: ArchiveRequest, context: MapContext) -> Iterator[Any]:
    """Yield a client of the scheduler that was asked for; a local one ends with the block."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ResourceError(
            "--cluster needs Dask distributed, which is not installed.",
            "Install it: pip install 'sar-land-cover-dino[cluster]'; or start the command several times without it.",
        ) from error
    with ExitStack() as stack:
        if request.cluster == LOCAL:
            target: dict[str, Any] = {"address": stack.enter_context(_local(request))}
        elif str(request.cluster).endswith(".json"):
            if not Path(str(request.cluster)).is_file():
                raise ResourceError(
                    f"There is no file {request.cluster}.", "Start dask scheduler --scheduler-file first."
                )
            target = {"scheduler_file": request.cluster}
        else:
            target = {"address": request.cluster}
        with _reaching(request):
            client = stack.enter_context(Client(**target, timeout=CONNECT_S))
        context.reporter.log("info", f"Dask's dashboard: {client.dashboard_link}")
        yield client


@contextmanager
def _local(request: ArchiveRequest) -> Iterator[Any]:
    """Yield a cluster of this machine: a process for each graphics card, or for each pair of cores."""
    from distributed import Nanny, Scheduler, SpecCluster

    cards = usable_cards() if request.task.device in ("auto", "cuda") else []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = request.workers or len(cards) or max(1, cores // CORES)
    threads = dict.fromkeys(THREADS, str(max(1, cores // count)))
    specs = {}
    for number in range(count):
        card = {"CUDA_VISIBLE_DEVICES": cards[number % len(cards)]} if cards else {}
        # No limit of memory: a worker that is killed for it would be started again with the same scene.
        options = {
            "nthreads": 1, "memory_limit": 0, "env": {**threads, **card}, "silence_logs": QUIET,
            "preload": [run_scene.__module__],
        }  # fmt: skip
        specs[number] = {"cls": Nanny, "options": options}
    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    # Dask sets threads of libraries in the environment of this process too, and leaves them there.
    before = dict(os.environ)
    cluster = SpecCluster(workers=specs, scheduler={"cls": Scheduler, "options": here}, silence_logs=QUIET)
    try:
        yield cluster
    finally:
        cluster.close(timeout=CLOSE_S)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _reaching(request: ArchiveRequest) -> Iterator[None]:
    """Turn errors of the connection into a refusal."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise _gone(request) from error


def _gone(request: ArchiveRequest) -> ResourceError:
    return ResourceError(
        f"The scheduler {request.cluster} can't be reached.",
        "Start it, and run the same command again: what is finished is kept.",
    )
