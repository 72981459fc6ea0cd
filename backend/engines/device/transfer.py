"""Copy between the memory of the machine and that of a graphics card, through pinned memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.core.errors import ResourceError

# Types as which stored values are copied: PyTorch computes with few types without a sign.
KINDS = {
    "uint8": torch.uint8, "int16": torch.int16, "uint16": torch.int16, "int32": torch.int32, "float32": torch.float32,
    "float64": torch.float64,
}  # fmt: skip


def device_of(name: str) -> torch.device:
    """Return a device by its name, such as "cuda"."""
    return torch.device(name)


def pinned(shape: tuple[int, ...], kind: str, device: torch.device) -> NDArray[Any]:
    """Return an array of one of KINDS from which a graphics card copies without a detour; ordinary memory elsewhere."""
    try:
        memory = torch.empty(shape, dtype=KINDS[kind], pin_memory=device.type == "cuda")
    except RuntimeError:  # a system may allow little of it; then copies take longer
        memory = torch.empty(shape, dtype=KINDS[kind])
    # The array keeps the tensor alive.
    return memory.numpy().view(kind)


class Mark:
    """Mark a place in the queue of a device; `wait` returns when all work before it is done.

    What another thread asks meanwhile isn't waited for, and keeps the device busy.
    """

    def __init__(self, device: torch.device) -> None:
        self._event = torch.cuda.Event(blocking=True) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        if self._event is not None:
            self._event.record(torch.cuda.current_stream(device))

    def wait(self) -> None:
        """Wait, without using a core."""
        if self._event is not None:
            self._event.synchronize()


def to_device(values: NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of stored values on the device; uint16 becomes int32.

    The copy is only asked for: until a `Mark` made after it is reached, `values` are not to be changed.
    """
    unsigned = values.dtype == np.uint16
    there = torch.from_numpy(values.view(np.int16) if unsigned else values).to(device, non_blocking=True, copy=True)
    return there.to(torch.int32).bitwise_and_(0xFFFF) if unsigned else there


def constant(values: NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of a small array on the device, without waiting for what was asked of it before."""
    there = torch.from_numpy(values)
    return (there.pin_memory() if device.type == "cuda" else there).to(device, non_blocking=True)


class Fetched:
    """Copy tensors from a device, while it goes on.

    Args:
        tensors: On one device; they may be changed afterwards.
    """

    def __init__(self, *tensors: Tensor) -> None:
        device = tensors[0].device
        pin = device.type == "cuda"
        self._copies = [torch.empty(each.shape, dtype=each.dtype, pin_memory=pin) for each in tensors]
        for copy, each in zip(self._copies, tensors):
            copy.copy_(each, non_blocking=True)
        self._mark = Mark(device)

    def arrays(self) -> list[NDArray[Any]]:
        """Wait for them, and return them as arrays in memory of their own."""
        self._mark.wait()
        return [copy.numpy() for copy in self._copies]


@contextmanager
def refusing(device: torch.device | str, width: int) -> Iterator[None]:
    """Turn an error of the device's memory into a refusal that names what it can't hold.

    Raises:
        ResourceError: The device hasn't the memory for rows of this many pixels.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise ResourceError(
            f"The memory of {torch.device(device).type} can't hold a row of tiles {width} pixels wide.",
            "Map a part of the raster (--extent), or run with --device cpu.",
        ) from error
