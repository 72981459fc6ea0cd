"""Choose the arithmetic of a forward pass: float32, or half precision where autocast deems it safe."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from backend.core.errors import ResourceError

PRECISIONS = ("auto", "float32", "bfloat16")


def settle_precision(name: str, device: torch.device) -> str:
    """Return the precision that a setting means on a device.

    bfloat16 has the range of float32, so no loss scaling is needed. "auto" takes it on CUDA with the instructions, and
    nowhere else: whether it helps on a CPU depends on the CPU (those without the instructions may emulate it, many
    times slower), so there it must be asked for.

    Args:
        name: One of PRECISIONS.
        device: Device of the model.

    Returns:
        "float32" or "bfloat16".

    Raises:
        ResourceError: bfloat16 was asked for and the device doesn't support it.
    """
    if name == "bfloat16" and device.type != "cpu" and not _cuda_has_bfloat16(device):
        raise ResourceError(f"bfloat16 is not supported on {device}.", "Set the precision to auto or float32.")
    if name == "auto":
        return "bfloat16" if _cuda_has_bfloat16(device) else "float32"
    return name


def autocast(name: str, device: torch.device) -> torch.autocast:
    """Return the context in which a training's forward pass has the precision asked for.

    Parameters and gradients stay float32. Arguments and errors are those of `settle_precision`.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=settle_precision(name, device) == "bfloat16")


def inference_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which maps are computed: half precision on CUDA, in bfloat16 where it is supported.

    Elsewhere float32: processors emulate half precision, a hundred times slower.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16 if _cuda_has_bfloat16(device) else torch.float16)


def _cuda_has_bfloat16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_bf16_supported()
