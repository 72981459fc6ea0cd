"""Measure the files of a model folder: size, SHA-256, and number of weights, without loading a tensor."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, NETWORK, WEIGHTS
from backend.core.errors import ModelError
from backend.core.plain_json import parse_json
from backend.core.regular_file import NOT_A_FILE, is_special

MAX_HEADER_BYTES = 1_000_000
_PIECE_BYTES = 2**20
_AGAIN = "Copy the model folder again; it is damaged or belongs to another card."


@dataclass(frozen=True)
class ModelFile:
    """Hold the identity of a file.

    Attributes:
        name: Name in the model folder.
        size: Bytes.
        sha256: SHA-256 of its content, lower-case hex.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ModelFiles:
    """Hold the files of a model folder.

    Attributes:
        card: card.json.
        weights: model.safetensors.
        onnx: network.onnx; None if the card or the folder has none.
        parameters: Number of values of all floating-point tensors of the weights.
    """

    card: ModelFile
    weights: ModelFile
    onnx: ModelFile | None
    parameters: int


def measure_files(folder: Path, card: ModelCard) -> ModelFiles:
    """Measure the files of a model folder.

    Args:
        folder: The model folder.
        card: Its card.

    Raises:
        ModelError: A file can't be read, or the weights are not those of the card.
    """
    weights = _measure(folder / WEIGHTS, card.weights_sha256)
    named = card.network.sha256 and os.path.lexists(folder / NETWORK)
    onnx = _measure(folder / NETWORK, card.network.sha256) if named else None
    return ModelFiles(_measure(folder / CARD), weights, onnx, _count_parameters(folder / WEIGHTS))


def _measure(path: Path, digest: str = "") -> ModelFile:
    found, size = hashlib.sha256(), 0
    try:
        with _opened(path) as file:
            while piece := file.read(_PIECE_BYTES):
                found.update(piece)
                size += len(piece)
    except OSError as error:
        raise ModelError(f"{path} can't be read ({error.strerror}).", _AGAIN) from error
    if digest and found.hexdigest() != digest:
        said = f"{path.name} has SHA-256 {found.hexdigest()[:12]}…, the card says {digest[:12]}…."
        raise ModelError(said, _AGAIN)
    return ModelFile(path.name, size, found.hexdigest())


def _opened(path: Path) -> BinaryIO:
    if is_special(path):  # a pipe would never end
        raise OSError(0, NOT_A_FILE, str(path))
    return path.open("rb")


def _count_parameters(path: Path) -> int:
    """Return the number of values of the floating-point tensors that a safetensors file lists in its header."""
    try:
        with _opened(path) as file:
            length = int.from_bytes(file.read(8), "little")
            if length > MAX_HEADER_BYTES:
                raise ValueError(f"its header has {length} bytes")
            tensors = parse_json(file.read(length))
        tensors.pop("__metadata__", None)
        return sum(_values(tensor["shape"]) for tensor in tensors.values() if "F" in tensor["dtype"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a safetensors file ({error}).", _AGAIN) from error


def _values(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= int(side)
    return count
