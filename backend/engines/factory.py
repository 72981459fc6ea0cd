"""Open the engine of a model; where it can't run and none was asked for, the next one takes over."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from backend.card.model_card import ModelCard
from backend.core.errors import ResourceError
from backend.engines.answer import Answer
from backend.engines.choice import engines_for
from backend.engines.job import Engine, Job
from backend.stream.tiles import Model

Log = Callable[[str, str], None]
TITLES = {"pytorch": "PyTorch", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}


@dataclass(frozen=True)
class Wanted:
    """Hold the engine, device and batch size of a request.

    Attributes:
        engine: One of `backend.engines.choice.ENGINES`.
        device: auto, cpu, cuda or mps.
        batch_size: Tiles at once; 0 to choose.
    """

    engine: str = "auto"
    device: str = "auto"
    batch_size: int = 0


class Engines:
    """Hold the engine that runs a model, and those that may take over.

    Args:
        folder: Folder of the model.
        card: The model's.
        wanted: Engine, device and batch size of the request.
        log: Called with (level, message).

    Raises:
        ModelError: Anything about the folder is missing, damaged or doesn't fit.
        ResourceError: Engine or device isn't available.
    """

    def __init__(self, folder: Path, card: ModelCard, wanted: Wanted, log: Log) -> None:
        self._folder, self._card, self._wanted = folder, card, wanted
        self._names = list(engines_for(wanted.engine, wanted.device))
        self.current = self._opened(log)

    @contextmanager
    def runner(self, job: Job) -> Iterator[tuple[Model, str]]:
        """Make a callable on arrays for the stream; its threads end with the context.

        Yields:
            The callable, and the name of its engine.

        Raises:
            ResourceError: No engine that may be taken can run the model.
        """
        self.ready(job.answer, job.log)
        with self.current.runner(job) as run:
            yield run, self.current.name

    def ready(self, answer: Answer, log: Log) -> None:
        """Make ready for an answer, with another engine where the present one can't give it.

        Raises:
            ResourceError: No engine that may be taken can run the model.
        """
        while True:
            try:
                return self.current.prepare(answer)
            except ResourceError as refusal:
                self._give_up(refusal, log)
                self.current = self._opened(log)

    def _opened(self, log: Log) -> Engine:
        while True:
            try:
                return open_engine(self._names[0], self._folder, self._card, self._wanted)
            except ResourceError as refusal:
                self._give_up(refusal, log)

    def _give_up(self, refusal: ResourceError, log: Log) -> None:
        """Drop an engine that can't run the model; raise if it was asked for, or is the last one."""
        self._names.pop(0)
        if not self._names:
            raise refusal
        log("warning", f"{refusal.message} {TITLES[self._names[0]]} runs it instead.")


def open_engine(name: str, folder: Path, card: ModelCard, wanted: Wanted) -> Engine:
    """Return an engine with the model of a folder; for errors see `Engines`."""
    if name == "pytorch":
        try:
            from backend.engines.pytorch import TorchEngine
        except (ImportError, OSError, RuntimeError) as error:
            raise ResourceError(f"PyTorch is installed but can't be loaded ({error}).", "Install it again.") from error
        return TorchEngine(folder, wanted.device, wanted.batch_size)
    from backend.engines.portable import PortableEngine

    return PortableEngine(name, folder, card, wanted.batch_size)


def preload(wanted: Wanted) -> None:
    """Import the modules of the first engine, which takes time; what can't be imported is refused later."""
    from backend.engines.portable import MODULES

    with suppress(Exception):
        name = engines_for(wanted.engine, wanted.device)[0]
        importlib.import_module(f"backend.engines.{MODULES.get(name, name)}")
