"""Choose the device and the batch size of the network, and run it with PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch

from backend.card.model_card import ModelCard
from backend.core.arrays import FloatArray
from backend.core.errors import ResourceError
from backend.engines.answer import Answer
from backend.engines.job import Job
from backend.engines.precision import inference_autocast
from backend.engines.processor import processor_batch
from backend.network.vit import SarViT
from backend.network.weights import known_answers, load_model
from backend.stream.tiles import Model

# Tokens of a batch on a graphics card. An H100 ran a network of this kind a third faster with so many (256 tiles of 256
# tokens) than with a quarter of them. A rule, and no timing of the first batches: sums differ in their last bits from
# one batch size to another, and equal runs on equal cards are to give equal maps.
GPU_TOKENS = 2**16
MPS_BATCH = 8


def available_devices() -> list[str]:
    """Return the devices that can be asked for here, best first."""
    found = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose_device(wanted: str, index: int | None = None) -> torch.device:
    """Return the device asked for, or the best one for "auto".

    Args:
        wanted: auto, cpu, cuda or mps.
        index: Number of the graphics card; the current one if None.

    Raises:
        ResourceError: The device isn't there.
    """
    devices = available_devices()
    if wanted == "auto":
        wanted = devices[0]
    if wanted not in devices:
        raise ResourceError(
            f"The device {wanted} was asked for; PyTorch {torch.__version__} finds {', '.join(devices)} here.",
            "Set the device to auto, or install the PyTorch build for that device.",
        )
    return torch.device(wanted, index) if wanted == "cuda" and index is not None else torch.device(wanted)


def device_name(device: torch.device) -> str:
    """Return a name such as "cpu" or "cuda (NVIDIA H100)"."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def auto_batch(card: ModelCard, device: torch.device) -> int:
    """Return the batch size from sizes of model and device alone, so that equal devices choose equally."""
    if device.type == "mps":
        return MPS_BATCH
    if device.type == "cuda":
        tokens, width = (card.tile // card.patch) ** 2, card.arch.embed_dim
        # Activations of a block (about 12 widths a token in two bytes) and float maps of head and answer.
        per_tile = tokens * width * 24 + card.tile**2 * 4 * 160
        # Not what is free now, which other programs change: where it is less, the batch is halved on the way.
        total = torch.cuda.get_device_properties(device).total_memory
        return int(max(1, min(GPU_TOKENS // tokens, total // 4 // per_tile)))
    return processor_batch(card)


class TorchEngine:
    """Run the network of a folder with PyTorch.

    Args:
        folder: Folder of the model.
        device: auto, cpu, cuda or mps.
        batch_size: Tiles at once; 0 to choose.

    Raises:
        ModelError: The weights are missing, damaged or don't fit the card.
        ResourceError: The device isn't there.
    """

    name = "pytorch"

    def __init__(self, folder: Path, device: str, batch_size: int) -> None:
        self.torch_device = choose_device(device)
        self.device, self.device_name = self.torch_device.type, device_name(self.torch_device)
        self.network, card = load_model(folder, self.torch_device)
        self.batch = batch_size or auto_batch(card, self.torch_device)

    def prepare(self, answer: Answer) -> None:
        """Do nothing: PyTorch gives any answer."""

    @contextmanager
    def runner(self, job: Job) -> Iterator[Model]:
        """Make a callable on arrays for the stream."""
        run = TileRunner(
            partial(outputs, self.network, job.answer.outputs), self.torch_device, self.batch, job.log, job.fetch
        )
        finish = job.answer.finish
        yield run if finish is None else lambda tiles: map(job.answer.finished, run(tiles))


def outputs(network: SarViT, names: tuple[str, ...], x: torch.Tensor) -> torch.Tensor:
    """Return outputs by their names in network.onnx, joined along the channels."""
    blocks = [int(name.removeprefix("tokens_")) for name in names if name.startswith("tokens_")]
    if len(blocks) == len(names):  # all in one pass
        return torch.cat(network.grids(x, blocks), dim=1)
    return torch.cat([network.output(x, name) for name in names], dim=1)


def known_answers_of(folder: Path) -> dict[str, list[float]]:
    """Return PyTorch's answers to the tile of `backend.graph.probe`, for a folder whose card doesn't have them."""
    return known_answers(*load_model(folder))


class TileRunner:
    """Run a function of tensors on a device for arrays, with its precision, and smaller batches if memory runs out.

    Args:
        function: Tensor [n, bands, tile, tile] to tensor [n, channels, t, t].
        device: Device of the function's weights.
        batch: Tiles at once; halved for good whenever memory runs out.
        log: Called with (level, message).
        fetch: Whether answers come back as arrays; else they stay on the device, as tensors.
    """

    def __init__(
        self,
        function: Callable[[torch.Tensor], torch.Tensor],
        device: torch.device,
        batch: int,
        log: Callable[[str, str], None],
        fetch: bool = True,
    ) -> None:
        self._fetch = fetch
        self._function, self._device, self._batch, self._log = function, device, batch, log
        self._told = False

    def __call__(self, tiles: FloatArray | torch.Tensor) -> Any:
        """Return the answers float32 [n, channels, t, t] to tiles float32 [n, bands, tile, tile], on the device or not.

        Raises:
            ResourceError: Not even one tile fits into memory.
        """
        done: list[Any] = []
        count = 0
        while count < len(tiles):
            try:
                part = self._run(tiles[count : count + self._batch])
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
                self._halve(error)
                continue
            done.append(part)
            count += len(part)
        if len(done) == 1:
            return done[0]
        return np.concatenate(done) if self._fetch else torch.cat(done)

    def _run(self, tiles: FloatArray | torch.Tensor) -> Any:
        with torch.inference_mode(), inference_autocast(self._device):
            x = torch.from_numpy(tiles) if isinstance(tiles, np.ndarray) else tiles
            if self._device.type == "cuda" and x.device.type == "cpu":
                x = x.pin_memory()
            answer = self._function(x.to(self._device, non_blocking=True))
            answer = answer.float()
            return answer.cpu().numpy() if self._fetch else answer

    def _halve(self, error: RuntimeError) -> None:
        if self._batch == 1:
            raise ResourceError(
                f"Not even one tile fits into the memory of {self._device.type}.",
                "Close other programs that use it, or run with --device cpu.",
            ) from error
        self._batch //= 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        if not self._told:
            self._told = True
            self._log("warning", f"Memory ran out; going on with batches of at most {self._batch} tiles.")


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        sign in str(error) for sign in ("out of memory", "can't allocate memory", "not enough memory")
    )
