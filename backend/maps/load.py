"""Load a model for any number of rasters: open the engine that runs it, while the run checks its input."""

from __future__ import annotations

from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Callable

from backend.card.model_card import ModelCard
from backend.card.registry import NETWORK, WEIGHTS
from backend.core.cancel import POLL_S
from backend.core.context import Context
from backend.engines.answer import Answer
from backend.engines.choice import on_processor
from backend.folder.hashed_file import stamp

if TYPE_CHECKING:
    from backend.engines.factory import Engines

Log = Callable[[str, str], None]


@dataclass(frozen=True)
class Loaded:
    """Hold a model with its engine.

    Attributes:
        card: The model's.
        engines: The engines that run it.
    """

    card: ModelCard
    engines: Engines

    @property
    def device(self) -> str:
        """Return the kind of device, such as "cpu" or "cuda"."""
        return self.engines.current.device

    @property
    def device_name(self) -> str:
        """Return the device for people, such as "cpu" or "cuda (NVIDIA H100)"."""
        return self.engines.current.device_name

    @property
    def batch(self) -> int:
        """Return the tiles at once."""
        return self.engines.current.batch


@dataclass(frozen=True)
class Wish:
    """Hold which model is wanted, and what is to run it.

    Attributes:
        folder: Folder of the model.
        card: The model's, validated.
        engine: One of `backend.engines.choice.ENGINES`.
        device: auto, cpu, cuda or mps.
        batch_size: Tiles at once; 0 to choose.
    """

    folder: Path
    card: ModelCard
    engine: str
    device: str
    batch_size: int

    def key(self) -> Any:
        """Return a key that is equal only for the same model, from the same files, on the same engine."""
        return self, *(stamp(self.folder / name) for name in (WEIGHTS, NETWORK))


def load(wish: Wish, log: Log) -> Loaded:
    """Open the engine, check and load the model, and choose device and batch size.

    Args:
        wish: Model, engine, device and batch size to load.
        log: Called with (level, message).

    Raises:
        ModelError: Network or weights are missing, damaged or don't fit the card.
        ResourceError: Device or engine isn't there.
    """
    # Engines take a part of a second to import, PyTorch seconds.
    from backend.engines.factory import Engines, Wanted

    wanted = Wanted(wish.engine, wish.device, wish.batch_size)
    return Loaded(wish.card, Engines(wish.folder, wish.card, wanted, log))


class ModelCache:
    """Keep the model that was loaded last, for runs that follow with the same model, device and engine."""

    def __init__(self) -> None:
        self._key: Any = None
        self._loaded: Loaded | None = None
        self._coming: _Coming | None = None

    def begin(self, wish: Wish, answer: Answer | None) -> None:
        """Start to load a model in another thread, while the caller opens a raster; `load` returns it.

        Nothing begins where PyTorch is to run it, or it is here already.

        Args:
            wish: Model, engine, device and batch size to load.
            answer: Wanted outputs of the network, if known: they are compiled and checked too.
        """
        key = wish.key()
        here = self._loaded is not None and key == self._key
        if here or (self._coming is not None and key == self._coming.key) or not on_processor(wish.engine, wish.device):
            return
        self._loaded = None  # gone before the next one needs memory
        self._coming = _Coming(key, wish, answer)

    def load(self, wish: Wish, context: Context) -> Loaded:
        """Return the model that is kept or on its way, or `load` another one; also where its files have changed.

        Raises:
            Cancelled: The run was cancelled while the model was on its way.
            SarDinoError: As of `load`.
        """
        key, coming = wish.key(), self._coming
        if self._loaded is not None and key == self._key:
            return self._loaded
        self._loaded = self._coming = None  # gone before the next one needs memory
        if coming is not None and coming.key == key:
            self._loaded = coming.result(context)
        else:
            self._loaded = load(wish, context.reporter.log)
        self._key = key
        return self._loaded


class _Coming:
    """Load a model in a thread; its messages are kept for the thread that asks for the result."""

    def __init__(self, key: Any, wish: Wish, answer: Answer | None) -> None:
        self.key = key
        self._said: list[tuple[str, str]] = []
        self._future: Future[Loaded] = Future()
        # No daemon: an interpreter that ends while a library works in one aborts. The command line doesn't wait for it.
        Thread(target=self._work, args=(wish, answer), name="model").start()

    def result(self, context: Context) -> Loaded:
        """Wait for the model, and return it; what was said meanwhile goes to the reporter."""
        while not wait([self._future], POLL_S).done:
            context.cancel.check()
        for level, message in self._said:
            context.reporter.log(level, message)
        return self._future.result()

    def _work(self, wish: Wish, answer: Answer | None) -> None:
        try:
            loaded = load(wish, self._log)
            if answer is not None:
                loaded.engines.ready(answer, self._log)
            self._future.set_result(loaded)
        except BaseException as error:  # noqa: B036 - raised where the result is asked for
            self._future.set_exception(error)

    def _log(self, level: str, message: str) -> None:
        self._said.append((level, message))
