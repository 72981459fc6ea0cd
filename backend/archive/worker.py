"""Map the scenes of an archive, with any number of other workers, until all are finished or given up."""

from __future__ import annotations

import os
import random
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.archive.attempts import AttemptBook, Attempts, Held
from backend.archive.scene_run import DONE, FAILED, LOST, Outcome, Task, do_scene
from backend.archive.units import Unit
from backend.core.cancel import POLL_S
from backend.core.errors import ResourceError, SarDinoError
from backend.maps.request import MapContext

# Seconds between two looks at what others have done.
LOOK_S = 10.0
# Longest wait for others, while nothing is left to claim.
WAIT_S = 5.0
# So many failures in a row for lack of resources end a worker: others, on other machines, may do better.
MOST_IN_A_ROW = 3


def worker_name() -> str:
    """Return a unique name for this process: its machine, its number, and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass
class State:
    """Hold the state of an archive.

    Attributes:
        finished: Names of scenes that are finished.
        given_up: Why scenes were given up, by name.
        held: Number of scenes that other workers hold, or that wait to be repeated.
        made: Names of scenes that this run has finished itself.
    """

    finished: set[str] = field(default_factory=set)
    given_up: dict[str, str] = field(default_factory=dict)
    held: int = 0
    made: set[str] = field(default_factory=set)


class ArchiveWorker:
    """Claim scenes one after another.

    Args:
        units: The plan.
        book: Attempts on the disk.
        task: The task for each scene.
        context: Reporter, cancel and model.
    """

    def __init__(self, units: Sequence[Unit], book: AttemptBook, task: Task, context: MapContext) -> None:
        self._units = {unit.name: unit for unit in units}
        self._book, self._task, self._context = book, task, context
        self._looked = 0.0
        self._poor = 0
        self.state = State()

    def run(self, wait: bool = True) -> State:
        """Map scenes until all are finished or given up.

        Args:
            wait: Whether to wait for scenes that other workers hold, to take them over if these die.

        Raises:
            Cancelled: The worker was stopped.
            ModelError: The model can't be used.
            ResourceError: The disk is full, or several scenes in a row failed for lack of resources.
        """
        self._first_pass()
        pause = POLL_S
        while not self._settle():
            if not wait:
                break
            deadline = time.monotonic() + pause
            while time.monotonic() < deadline:
                self._context.cancel.check()
                time.sleep(POLL_S)
            pause = min(2 * pause, WAIT_S, self._book.dead_after / 4)
        return self.state

    def _first_pass(self) -> None:
        """Claim every scene that nobody has claimed: in the plan's order, but away from others once they are met."""
        waiting, place = self._unclaimed(list(self._units)), 0
        while waiting:
            self._context.cancel.check()
            place %= len(waiting)
            held = self._book.take(waiting[place])
            name = waiting.pop(place)
            if held is not None:
                self._do(name, held)
            else:
                if time.monotonic() - self._looked > LOOK_S:
                    waiting = self._unclaimed(waiting)
                place = random.randrange(len(waiting)) if waiting else 0  # nosec B311

    def _settle(self) -> bool:
        """Take over scenes that dead workers left, or that were released or failed; return whether none remains."""
        attempts = self._look()
        self.state.given_up, self.state.held, taken = {}, 0, False
        for name in self._units:
            if name in self.state.finished:
                continue
            before = attempts.get(name, Attempts())
            may = self._book.may_follow(name, before, self._units[name].rest)
            if may is None:
                self.state.held += 1
            elif not may:
                self.state.given_up[name] = self._book.reason(name, before)
            else:
                held = self._book.take(name, before.last)
                self.state.held += held is None
                if held is not None:
                    taken = True
                    self._do(name, held)
        return not taken and self.state.held == 0

    def _do(self, name: str, held: Held) -> None:
        shown = 0.0

        def show(part: float) -> None:
            # For some outputs a scene is read several times, but what is shown never shrinks; it is done when placed.
            nonlocal shown
            shown = max(shown, min(part, 0.99))
            self._context.reporter.progress(round(len(self.state.finished) + shown, 2), len(self._units))

        self._note(do_scene(self._units[name], held, self._book, self._task, self._context, show))

    def _note(self, outcome: Outcome) -> None:
        reporter = self._context.reporter
        if outcome.kind == DONE:
            self.state.made.add(outcome.name)
        if outcome.kind in (DONE, LOST):
            self.state.finished.add(outcome.name)
            self._poor = 0
            reporter.progress(len(self.state.finished), len(self._units))
        if outcome.kind == FAILED and outcome.error is not None:
            reporter.log("warning", f"{outcome.name} failed: {outcome.error.message}")
            self._check_resources(outcome.error)

    def _check_resources(self, error: SarDinoError) -> None:
        self._poor = self._poor + 1 if isinstance(error, ResourceError) else 0
        if self._poor >= MOST_IN_A_ROW:
            raise ResourceError(f"{self._poor} scenes in a row failed, the last one: {error.message}", error.hint)

    def _unclaimed(self, names: Sequence[str]) -> list[str]:
        attempts: Mapping[str, Attempts] = self._look()
        return [name for name in names if name not in self.state.finished and name not in attempts]

    def _look(self) -> dict[str, Attempts]:
        # First the attempts: those on a scene that is finished in between vanish, and it counts as finished.
        attempts = self._book.listing()
        self.state.finished = self._book.folder.finished() & self._units.keys()
        self._looked = time.monotonic()
        if self.state.finished:
            self._context.reporter.progress(len(self.state.finished), len(self._units))
        return attempts
