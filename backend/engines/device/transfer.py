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
    memory = torch.empty(shape, dtype=KINDS[kind], pin_memory=device.type == "cuda")
    # The array keeps the tensor alive.
    return memory.numpy().view(kind)


def to_device(values: NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of stored values on the device, done when this returns; uint16 becomes int32."""
    unsigned = values.dtype == np.uint16
    there = torch.from_numpy(values.view(np.int16) if unsigned else values).to(device, copy=True)
    return there.to(torch.int32).bitwise_and_(0xFFFF) if unsigned else there


def to_host(*tensors: Tensor) -> list[NDArray[Any]]:
    """Return tensors as arrays in memory of their own.

    Only what was asked of the device before is waited for: a batch that another thread sends meanwhile keeps it busy.
    """
    if tensors[0].device.type != "cuda":
        return [each.detach().clone().numpy() for each in tensors]
    copies = [torch.empty(each.shape, dtype=each.dtype, pin_memory=True) for each in tensors]
    for copy, each in zip(copies, tensors):
        copy.copy_(each, non_blocking=True)
    done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    done.record()
    done.synchronize()
    return [copy.numpy() for copy in copies]


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
