"""Start a run: prepare it, load its model, open its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.card.model_card import ModelCard
from backend.core.run_events import RunEvents
from backend.maps.load import Loaded
from backend.maps.outputs import Outputs
from backend.maps.prepare import Prepared, prepare
from backend.maps.request import MapContext, Request
from backend.maps.scene import Scene


@dataclass
class Run:
    """Hold one run of a model over a raster.

    Attributes:
        prepared: Request, card and raster, checked.
        loaded: The model.
        outputs: The files that results are written to.
        events: Report the run.
        engine: The engine that ran the tiles; `backend.maps.emit.send_tiles` sets it.
    """

    prepared: Prepared
    loaded: Loaded
    outputs: Outputs
    events: RunEvents
    engine: str = "pytorch"

    @property
    def scene(self) -> Scene:
        return self.prepared.scene

    @property
    def card(self) -> ModelCard:
        return self.loaded.card

    @property
    def context(self) -> MapContext:
        return self.prepared.context

    def report(self, **more: Any) -> dict[str, Any]:
        """Return the facts of the result, and send them to the reporter; timings are seconds by phase, in order."""
        prepared = self.prepared
        prepared.timings.end("write")
        facts = {
            "engine": self.engine,
            "seconds": prepared.timings.total(),
            "timings": prepared.timings.rounded(),
            "checks": [check.to_dict() for check in prepared.scene.checks],
        }
        return self.events.result(**{**facts, **more})


@contextmanager
def start_run(
    request: Request, command: str, paths: dict[str, Path], context: MapContext | None = None
) -> Iterator[Run]:
    """Prepare and load what a request needs; when the context ends, what was not committed is removed.

    Args:
        request: Input, outputs and options of the run.
        command: Name of the output asked for, such as "landcover".
        paths: Outputs by role; "output" is the main one.
        context: Reporter, cancel and models; new ones if None.

    Raises:
        SarDinoError: A request can't be met, or the run was cancelled.
    """
    context = context or MapContext()
    with prepare(request, context, command, paths) as prepared:
        loaded = context.models.load(prepared.wish, context)
        prepared.timings.end("load")
        events = RunEvents(context.reporter, command, request.input, paths, loaded.card.name, loaded.device_name)
        events.start()
        with Outputs(prepared) as outputs:
            yield Run(prepared, loaded, outputs, events)
