"""Read the weights of someone else's network from a safetensors file, never from a pickle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from backend.core.errors import InputError, ModelError
from backend.core.regular_file import NOT_A_FILE, is_special

PICKLES = frozenset((".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pickle", ".tar"))
# How files begin that torch.save has written: now (zip), and before version 1.6.
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02")
# Twelve times what ViT-Base has.
MOST_BYTES = 2**32
CONVERT = (
    "import sys, torch, safetensors.torch as s; w = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "w = next((w[k] for k in ('teacher', 'state_dict', 'model') if k in w), w); "
    "s.save_file({k: v.clone().contiguous() for k, v in w.items() if torch.is_tensor(v)}, sys.argv[2])"
)


class ForeignFile:
    """Give the names, shapes and tensors of a file; use `opened`."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self._file = path, file
        self.names: list[str] = sorted(file.keys())

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor without reading it."""
        return tuple(self._file.get_slice(name).get_shape())

    def read(self, names: Iterable[str]) -> dict[str, Tensor]:
        """Return tensors as float32.

        Raises:
            ModelError: They are too large together, no floating-point numbers, or not finite.
        """
        found: dict[str, Tensor] = {}
        total = 0
        for name in names:
            count = 4
            for side in self.shape(name):
                count *= side
            total += count
            if total > MOST_BYTES:
                raise ModelError(
                    f"The network in {self.path} has more than {MOST_BYTES / 2**30:.0f} GiB of weights.",
                    "Take a smaller one.",
                )
            tensor = self._file.get_tensor(name)
            if not tensor.is_floating_point():
                raise ModelError(
                    f"Tensor {name} in {self.path} is {tensor.dtype}.", "Give weights as they were trained."
                )
            found[name] = tensor.to(torch.float32)
            if not bool(torch.isfinite(found[name]).all()):
                raise ModelError(
                    f"Tensor {name} in {self.path} holds values that are not finite.", "Take another file."
                )
        return found


@contextmanager
def opened(path: Path) -> Iterator[ForeignFile]:
    """Open a safetensors file.

    Raises:
        InputError: It is a pickle, or can't be read.
        ModelError: It is not a safetensors file.
    """
    try:
        if is_special(path):
            raise OSError(0, NOT_A_FILE)
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Give a safetensors file.") from error
    if path.suffix.lower() in PICKLES or start.startswith(_PICKLE_STARTS):
        raise InputError(
            f"{path} is a file of torch.save (a pickle), which may run code as it is read; it is not opened.",
            f'If you trust its origin, convert it: python -c "{CONVERT}" {path.name} {path.stem}.safetensors',
        )
    try:
        with safe_open(path, framework="pt") as content:
            yield ForeignFile(path, content)
    except SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file ({error}).", "Download or convert it again.") from error
