"""Write files that are whole or absent: under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` atomically: a crash leaves the old file or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8 atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace `path` by a safetensors file of `tensors` atomically."""
    write_bytes(path, save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}))
