"""The arithmetic of a training's forward pass: float32, or bfloat16 where autocast deems it safe."""

from __future__ import annotations

import torch

from backend.core.errors import ResourceError

PRECISIONS = ("auto", "float32", "bfloat16")


def settle_precision(name: str, device: torch.device) -> str:
    """The precision that a setting means on a device.

    bfloat16 has the range of float32, so no loss scaling is needed. "auto" takes it on CUDA with the instructions, and
    nowhere else: whether it helps on a CPU depends on the CPU (those without the instructions may emulate it, many
    times slower), so there it must be asked for.

    Args:
        name: One of PRECISIONS.
        device: Where the model lies.

    Returns:
        "float32" or "bfloat16".

    Raises:
        ResourceError: bfloat16 was asked for and the device can't.
    """
    able = device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_bf16_supported())
    if name == "bfloat16" and not able:
        raise ResourceError(f"bfloat16 is not to be had on {device}.", "Set the precision to auto or float32.")
    if name == "auto":
        return "bfloat16" if device.type == "cuda" and able else "float32"
    return name


def autocast(name: str, device: torch.device) -> torch.autocast:
    """The context in which a forward pass has the precision asked for; parameters and gradients stay float32.

    Arguments and errors are those of `settle_precision`.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=settle_precision(name, device) == "bfloat16")
