"""Run `archive`: map all scenes of a plan into one folder, together with other processes that do the same."""

from __future__ import annotations

from typing import Any

from backend import __version__
from backend.archive.attempts import AttemptBook
from backend.archive.folder import ArchiveFolder
from backend.archive.manifest import write_manifest
from backend.archive.plan import read_plan
from backend.archive.request import LEAST_DEAD_AFTER_S, ArchiveRequest
from backend.archive.scene_task import SceneTask
from backend.archive.units import Unit
from backend.archive.worker import ArchiveWorker, State, worker_name
from backend.core.errors import InputError, ResourceError
from backend.core.run_events import RunEvents
from backend.maps.request import MapContext


def archive(request: ArchiveRequest, context: MapContext) -> dict[str, Any]:
    """Map the scenes of a plan until all are finished or given up, and write the manifest.

    Returns:
        The facts of the result event.

    Raises:
        InputError: Plan, options or folder can't be used.
        ResourceError: Scenes were given up, or the disk is full.
        Cancelled: The worker was stopped; finished scenes are kept, and its own is free for others.
    """
    if request.dead_after < LEAST_DEAD_AFTER_S:
        raise InputError(
            f"--dead-after is {request.dead_after:g} s; workers need longer.", f"Give {LEAST_DEAD_AFTER_S:g} s or more."
        )
    notes: list[str] = []
    units, card, folder = read_plan(request.plan, notes), request.task.check(), ArchiveFolder(request.out)
    folder.open(units, request.task.recorded(card))
    worker = worker_name()
    outputs = {"output": folder.manifest, "collection": folder.collection}
    events = RunEvents(context.reporter, "archive", request.plan, outputs, card.name, request.task.device)
    events.start(scenes=len(units), worker=worker)
    if folder.program() != __version__:
        notes.append(
            f"The archive was begun by version {folder.program()}, and goes on with {__version__}; the manifest says "
            "which made a result."
        )
    for note in notes:
        context.reporter.log("warning", note)
    state = _work(request, units, folder, worker, context)
    if state.held:
        context.reporter.log(
            "info", f"{state.held} of {len(units)} scenes are held by other workers, or wait to be repeated."
        )
    if not write_manifest(folder, units, state, request.task.model):
        context.reporter.log("info", "Another worker is writing the manifest.")
    if state.given_up:
        _refuse(state, request, folder)
    counts = {"finished": len(state.finished), "given_up": len(state.given_up), "held": state.held}
    return events.result(scenes=len(units), **counts, classes=[])


def _work(request: ArchiveRequest, units: list[Unit], folder: ArchiveFolder, worker: str, context: MapContext) -> State:
    if request.cluster is not None:
        from backend.archive.cluster import run_on_cluster

        return run_on_cluster(request, units, folder, context)
    book = AttemptBook(folder, worker, request.retries, request.dead_after)
    try:
        state = ArchiveWorker(units, book, SceneTask(request.task, worker, folder), context).run(request.wait)
        if state.held == 0:
            book.sweep(state.finished)
        return state
    finally:
        book.close()


def _refuse(state: State, request: ArchiveRequest, folder: ArchiveFolder) -> None:
    (name, reason), count = next(iter(state.given_up.items())), len(state.given_up)
    raise ResourceError(
        f"{count} of {count + len(state.finished) + state.held} scenes were given up, the first one, {name}, because: "
        f"{reason}",
        f"{folder.manifest} lists them all; the others are finished. Correct the cause, and run again with --retries "
        f"{request.retries + 1}.",
    )
