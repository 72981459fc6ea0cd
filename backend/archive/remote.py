"""Map one scene in a process of a cluster; arguments and results are small plain values."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from typing import Any

from backend.archive.attempts import AttemptBook
from backend.archive.folder import ArchiveFolder
from backend.archive.request import ArchiveRequest
from backend.archive.scene_run import do_scene
from backend.archive.scene_task import SceneTask
from backend.archive.units import Unit
from backend.archive.worker import worker_name
from backend.core.errors import SarDinoError
from backend.core.events import Reporter
from backend.maps.load import ModelCache
from backend.maps.request import MapContext

HELD, FATAL = "held", "fatal"
# One scene at a time in a process, however many threads its scheduler gives it: they would share one model.
_turn = threading.Lock()
_models: dict[str, ModelCache] = {}


@dataclass(frozen=True)
class Answer:
    """Hold the result of a scene, or why there is none.

    Attributes:
        name: Name of the scene.
        kind: As in `Outcome`; HELD if another worker has it; FATAL if no scene can be done by this process.
        message: Message of an error.
        hint: Hint of an error.
        warnings: Warnings of the scene's run.
    """

    name: str
    kind: str
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()


class _Collector(Reporter):
    """Keep warnings, to be sent back with the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def log(self, level: str, message: str) -> None:
        if level != "info":
            self.warnings.append(message)

    def error(self, error: SarDinoError) -> None:
        self.warnings.append(error.message)


def run_scene(request: ArchiveRequest, run: str, unit: Unit, after: int) -> Answer:
    """Claim and do a scene; errors are values, since those of a library may not survive the way to another process.

    Args:
        request: Request of the archive.
        run: Name of the run, with which that of the worker begins.
        unit: The scene.
        after: Number of the last attempt on it.
    """
    with _turn:
        worker, told = f"{run}-{worker_name()}", _Collector()
        folder = ArchiveFolder(request.out)
        book = AttemptBook(folder, worker, request.retries, request.dead_after)
        try:
            held = book.take(unit.name, after)
            if held is None:
                return Answer(unit.name, HELD)
            context: Any = MapContext(told, models=_models.setdefault("kept", ModelCache()))
            outcome = do_scene(unit, held, book, SceneTask(request.task, worker, folder), context)
        except SarDinoError as error:
            return Answer(unit.name, FATAL, error.message, error.hint, tuple(told.warnings))
        finally:
            book.close()
        fault, warnings = outcome.error, tuple(told.warnings)
        if fault is None:
            return Answer(unit.name, outcome.kind, warnings=warnings)
        return Answer(unit.name, outcome.kind, fault.message, fault.hint, warnings)


def dask_setup(_: Any) -> None:
    """Let a process of a local cluster ignore Ctrl+C, which a terminal sends to it too: the command ends it.

    Dask calls this by its name where the module is loaded before a worker starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
