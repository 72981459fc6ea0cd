"""Load a model for any number of rasters: open the engine that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.card.model_card import ModelCard
from backend.card.registry import NETWORK, WEIGHTS
from backend.folder.hashed_file import stamp

if TYPE_CHECKING:
    from backend.engines.factory import Engines
    from backend.maps.prepare import Prepared


@dataclass(frozen=True)
class Loaded:
    """Hold a model with its engine.

    Attributes:
        card: The model's.
        engines: What runs it.
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


def load(prepared: Prepared) -> Loaded:
    """Open the engine, check and load the model, and choose device and batch size.

    Raises:
        ModelError: Network or weights are missing, damaged or don't fit the card.
        ResourceError: Device or engine isn't there.
    """
    # Engines take a part of a second to import, PyTorch seconds: only now that everything else is known to be right.
    from backend.engines.factory import Engines, Wanted, preload

    request, card = prepared.request, prepared.card
    wanted = Wanted(request.engine, request.device, request.batch_size)
    preload(wanted)
    prepared.timings.end("import")
    return Loaded(card, Engines(prepared.folder, card, wanted, prepared.context.reporter.log))


class ModelCache:
    """Keep the model that was loaded last, for runs that follow with the same model, device and engine."""

    def __init__(self) -> None:
        self._key: Any = None
        self._loaded: Loaded | None = None

    def load(self, prepared: Prepared) -> Loaded:
        """Return the model that is kept, or `load` another in its place; also where its files have changed."""
        key = _key(prepared)
        if self._loaded is None or key != self._key:
            self._loaded = None  # gone before the next one needs memory
            self._loaded, self._key = load(prepared), key
        else:
            prepared.timings.end("import")  # a phase of every result, though of no length here
        return self._loaded


def _key(prepared: Prepared) -> Any:
    request, files = prepared.request, [stamp(prepared.folder / name) for name in (WEIGHTS, NETWORK)]
    return prepared.folder, prepared.card, *files, request.device, request.engine, request.batch_size
