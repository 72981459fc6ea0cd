"""Start a run: prepare it, load its model, open its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import __version__
from backend.card.model_card import ModelCard
from backend.maps.load import Loaded
from backend.maps.outputs import Outputs
from backend.maps.prepare import Prepared, prepare
from backend.maps.request import Context, Request
from backend.maps.scene import Scene


@dataclass
class Run:
    """Hold one run of a model over a raster.

    Attributes:
        prepared: Request, card and raster, checked.
        loaded: The model.
        outputs: The files that results are written to.
        engine: The engine that ran the tiles; `backend.maps.emit.send_tiles` sets it.
    """

    prepared: Prepared
    loaded: Loaded
    outputs: Outputs
    engine: str = "pytorch"

    @property
    def scene(self) -> Scene:
        return self.prepared.scene

    @property
    def card(self) -> ModelCard:
        return self.loaded.card

    @property
    def context(self) -> Context:
        return self.prepared.context

    def report(self, **more: Any) -> dict[str, Any]:
        """Return the facts of the result, and send them to the reporter; timings are seconds by phase, in order."""
        prepared = self.prepared
        prepared.timings.end("write")
        facts = {
            "outputs": {role: str(path) for role, path in prepared.paths.items()},
            "device": self.loaded.device_name,
            "engine": self.engine,
            "seconds": prepared.timings.total(),
            "timings": prepared.timings.rounded(),
            "model": self.card.name,
            "checks": [check.to_dict() for check in prepared.scene.checks],
            **more,
        }
        prepared.context.reporter.result(facts)
        return facts


@contextmanager
def start_run(request: Request, command: str, paths: dict[str, Path], context: Context | None = None) -> Iterator[Run]:
    """Prepare and load what a request needs; when the context ends, what was not committed is removed.

    Args:
        request: Input, outputs and options of the run.
        command: Name of the output asked for, such as "landcover".
        paths: Outputs by role; "output" is the main one.
        context: Reporter, cancel and models; new ones if None.

    Raises:
        SarDinoError: A request can't be met, or the run was cancelled.
    """
    context = context or Context()
    with prepare(request, context, command, paths) as prepared:
        loaded = context.models.load(prepared.wish, context)
        prepared.timings.end("load")
        context.reporter.start(
            version=__version__,
            command=command,
            model=loaded.card.name,
            device=loaded.device_name,
            input=request.input,
            outputs={role: str(path) for role, path in paths.items()},
        )
        with Outputs(prepared) as outputs:
            yield Run(prepared, loaded, outputs)
