"""Map one scene of an archive: run the task, describe the result, and put it in its place by one rename."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Protocol

from backend.archive.attempts import AttemptBook, Held
from backend.archive.heart import Heart
from backend.archive.units import Unit
from backend.core.atomic_files import FULL_BYTES, refusing
from backend.core.errors import Cancelled, ModelError, ResourceError, SarDinoError
from backend.core.events import Reporter
from backend.core.supervise import as_refusal
from backend.maps.request import MapContext

DONE, FAILED, LOST = "done", "failed", "lost"
# Touches of a claim within the time after which its worker counts as dead.
BEATS = 6
# Seconds between two looks whether another worker has taken over: one that was suspended needn't go on to the end.
LOOK_S = 5.0


class Task(Protocol):
    """Map a scene into a folder and write its STAC item there, everything flushed to the disk."""

    def __call__(self, unit: Unit, held: Held, context: MapContext) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """Hold the end of an attempt.

    Attributes:
        name: Name of the scene.
        kind: DONE, FAILED, or LOST: another worker has finished the scene.
        error: Why it failed.
    """

    name: str
    kind: str
    error: SarDinoError | None = None


class SceneReporter(Reporter):
    """Pass on the warnings of a scene's run, with its name, and the part of it that is done.

    Args:
        reporter: Reporter of the archive.
        unit: The scene.
        work: Folder that is written into.
        shown: Called with the part that is done, from 0 to 1.

    Attributes:
        warnings: All of them, without names.
    """

    def __init__(self, reporter: Reporter, unit: Unit, work: Path, shown: Callable[[float], None]) -> None:
        super().__init__()
        self._reporter, self._unit, self._work, self._shown_part = reporter, unit, work, shown
        self._looked = time.monotonic()
        self.warnings: list[str] = []

    def log(self, level: str, message: str) -> None:
        if level != "info":
            self.warnings.append(self._unit.unsigned(message))
            self._reporter.log(level, f"{self._unit.name}: {self.warnings[-1]}")

    def progress(self, done: float, total: int, **figures: float) -> None:
        self._shown_part(min(1.0, done / max(total, 1)))
        if time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            if not self._work.exists():
                raise ResourceError(f"Another worker has taken over {self._unit.name}.", "")

    def error(self, error: SarDinoError) -> None:
        self.log("warning", error.message)


def do_scene(
    unit: Unit,
    held: Held,
    book: AttemptBook,
    task: Task,
    context: MapContext,
    shown: Callable[[float], None] = lambda part: None,
) -> Outcome:
    """Map a scene that was claimed. Its claim has ended afterwards, unless the process is killed.

    Args:
        unit: The scene.
        held: The claim.
        book: Attempts on the disk.
        task: What is done.
        context: Of the archive.
        shown: Called with the part of the scene that is done, from 0 to 1.

    Raises:
        Cancelled: The worker was stopped; the scene is free again.
        ModelError: The model can't be used, for this scene as for any other; the scene is free again.
        ResourceError: The disk of the results is full, or away; the scene is free again if possible.
    """
    cancel = context.cancel
    inner = MapContext(SceneReporter(context.reporter, unit, held.work, shown), cancel, context.models)
    with cancel.cleanup_scope():
        cancel.on_deadline(lambda: book.release(held))
        try:
            with Heart(held.claim, book.dead_after / BEATS):
                task(unit, held, inner)
            cancel.check()
            with cancel.shielded():
                return Outcome(unit.name, DONE if book.commit(held) else LOST)
        except (Cancelled, ModelError):
            book.release(held)
            raise
        except Exception as fault:  # a fault in one scene must not end the others
            error = unsigned(unit, fault if isinstance(fault, SarDinoError) else as_refusal(fault))
            if not held.work.exists():  # taken over by another worker, which moved the folder away
                book.release(held)
                return Outcome(unit.name, LOST)
            if is_full(book.folder.root):
                book.release(held)
                raise ResourceError(
                    f"The disk of {book.folder.root} is full.", "Free some space, and run the same command again."
                ) from fault
            book.fail(held, error)
            return Outcome(unit.name, FAILED, error)


def unsigned(unit: Unit, error: SarDinoError) -> SarDinoError:
    """Return an error without the signatures of URLs: it is written down, and shown."""
    error.message, error.hint = unit.unsigned(error.message), unit.unsigned(error.hint)
    return error


def is_full(path: Path) -> bool:
    """Return whether a disk has no space left. ResourceError if it can't be asked."""
    with refusing(path):
        return shutil.disk_usage(path).free < FULL_BYTES
