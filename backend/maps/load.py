"""Load a model onto its device, for any number of rasters."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backend.card.model_card import ModelCard
from backend.card.registry import WEIGHTS

if TYPE_CHECKING:
    import torch

    from backend.engines.factory import Answer
    from backend.engines.openvino import Converted
    from backend.maps.prepare import Prepared
    from backend.network.vit import SarViT


@dataclass(frozen=True)
class Loaded:
    """Hold a model on its device.

    Attributes:
        network: In eval mode.
        card: The network's.
        device: Where it lies.
        device_name: For people, such as "cpu" or "cuda (NVIDIA H100)".
        batch: Tiles at once.
        converted: The network as OpenVINO runs it, by answer, as far as it was converted.
    """

    network: SarViT
    card: ModelCard
    device: torch.device
    device_name: str
    batch: int
    converted: dict[Answer, Converted] = field(default_factory=dict)


def load(prepared: Prepared) -> Loaded:
    """Import PyTorch, check and load the weights, and choose device and batch size.

    Raises:
        ModelError: The weights are missing, damaged or don't fit the card.
        ResourceError: The device isn't there.
    """
    # PyTorch takes seconds to import: only now that everything else is known to be right.
    from backend.engines.pytorch import auto_batch, choose_device, device_name
    from backend.network.weights import load_model

    request = prepared.request
    prepared.timings.end("import")
    device = choose_device("cpu" if request.engine.startswith("openvino") else request.device)
    network, card = load_model(prepared.folder, device)
    batch = request.batch_size or auto_batch(network, card.tile, device)
    return Loaded(network, card, device, device_name(device), batch)


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
    request = prepared.request
    try:
        found = os.stat(prepared.folder / WEIGHTS)
        file = (found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError:
        file = None
    return prepared.folder, prepared.card, file, request.device, request.engine, request.batch_size
