"""Prepare a run: validate the card, claim the outputs, open the raster, decide its units.

Cheap checks come first; no engine is imported here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.errors import ResourceError
from backend.maps.dates import date_files
from backend.maps.early import model_wish
from backend.maps.load import Wish
from backend.maps.request import MapContext, Request
from backend.maps.scene import Scene, check_inputs
from backend.output.names import check_not_parts, claim_outputs
from backend.output.types import type_notes
from backend.raster.source import gdal_environment
from backend.raster.virtual import scene_files

FLOAT_BYTES = 4


class Timings:
    """Accumulate elapsed seconds by phase, one phase after the other."""

    def __init__(self) -> None:
        self._began = self._since = time.monotonic()
        self._seconds: dict[str, float] = {}

    def end(self, phase: str) -> None:
        """End a phase; the next one begins."""
        now = time.monotonic()
        self._seconds[phase] = self._seconds.get(phase, 0.0) + now - self._since
        self._since = now

    def rounded(self) -> dict[str, float]:
        """Return seconds by phase, in the order in which they first ended, to the millisecond."""
        return {phase: round(seconds, 3) for phase, seconds in self._seconds.items()}

    def total(self) -> float:
        """Return the seconds since the start, to the millisecond."""
        return round(time.monotonic() - self._began, 3)


@dataclass(frozen=True)
class Prepared:
    """Hold the request with all that was checked before a model is loaded.

    Attributes:
        request: Input, outputs and options of the run.
        context: Reporter, cancel and models.
        command: Name of the output asked for, such as "landcover".
        paths: Outputs by role; "output" is the main one.
        wish: Model and engine.
        scene: The raster, opened.
        timings: Timings of the run.
    """

    request: Request
    context: MapContext
    command: str
    paths: dict[str, Path]
    wish: Wish
    scene: Scene
    timings: Timings = field(default_factory=Timings)

    @property
    def folder(self) -> Path:
        """Return the folder of the model."""
        return self.wish.folder

    @property
    def card(self) -> ModelCard:
        """Return the card of the model."""
        return self.wish.card


@contextmanager
def prepare(request: Request, context: MapContext, command: str, paths: dict[str, Path]) -> Iterator[Prepared]:
    """Check a request and open its raster; all is closed, and outputs are free again, when the context ends.

    Args:
        request: Input, outputs and options of the run.
        context: Reporter and cancel.
        command: Name of the output asked for.
        paths: Outputs by role.

    Raises:
        SarDinoError: A request can't be met, or the run was cancelled.
    """
    timings = Timings()
    with ExitStack() as stack:
        stack.enter_context(gdal_environment())
        wish = model_wish(request)
        card = wish.card
        files = scene_files(request.input, request.further)
        every = [*files, *(file for date in date_files(request) for file in date)]
        check_inputs(every)
        outputs = list(paths.values())
        stack.enter_context(claim_outputs(outputs, every, request.overwrite, context.cancel))
        scene = Scene(request, context, files, card, stack)
        for source in (scene.source, *(date.placed.source for date in scene.dates)):
            check_not_parts(outputs, source.files)
        for note in type_notes(outputs):
            context.reporter.log("info", note)
        check_memory(scene.frame.width, card, 1 + len(scene.dates))
        context.cancel.check()
        timings.end("check")
        yield Prepared(request, context, command, paths, wish, scene, timings)


def check_memory(width: int, card: ModelCard, dates: int = 1) -> None:
    """Check that one row of tiles, which is held whole, fits into memory.

    Args:
        width: Columns that the model sees.
        card: Its tile, bands and classes.
        dates: Number of dates that are read side by side.

    Raises:
        ResourceError: A row of tiles, as read, as prepared and as blended, is larger than all memory of the machine.
    """
    needed = width * card.tile * FLOAT_BYTES * (2 * len(card.bands) * dates + len(card.classes))
    there = _all_memory()
    if there and needed > there:
        raise ResourceError(
            f"A raster of {width} columns needs {needed / 2**30:.0f} GiB of memory at least; there are "
            f"{there / 2**30:.0f} GiB here.",
            "Map it in parts, with --extent.",
        )


def _all_memory() -> int:
    """Return the bytes of memory in this machine; 0 where that is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 0
