"""Write tensors to files with a hash, and read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load, save

from training.run.files import write_bytes

# Key of the metadata of a tensor file.
_HASH = "sha256"


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace `path` by a safetensors file of `tensors` atomically; its metadata hold a SHA-256 of the tensors."""
    write_bytes(path, to_bytes(tensors, {_HASH: _digest(tensors)}))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors that `write_tensors` wrote.

    Raises:
        ValueError: The tensors don't match their SHA-256 (files of version 0.1 have none), or are not finite.
        SafetensorError: It is no safetensors file.
    """
    content = path.read_bytes()
    tensors = from_bytes(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__", {})
    if metadata and metadata.get(_HASH) != _digest(tensors):
        raise ValueError("its tensors don't match their SHA-256")
    check_finite(tensors)
    return tensors


def to_bytes(tensors: Mapping[str, torch.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Return a safetensors file of `tensors`."""
    return save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, metadata)


def from_bytes(content: bytes) -> dict[str, torch.Tensor]:
    """Return the tensors, on the CPU, of a safetensors file. SafetensorError if it is none."""
    return load(content)


def check_finite(tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuse tensors with NaN or infinity. ValueError names the first."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"tensor {name} holds values that are not finite")


def _digest(tensors: Mapping[str, torch.Tensor]) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
