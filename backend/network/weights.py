"""Model folder ⇄ model: card.json beside model.safetensors, hash checked, loaded strictly, no pickle."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as write_tensors

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, WEIGHTS
from backend.core.errors import ModelError
from backend.core.partial_files import temporary
from backend.network.vit import SarViT, build_model

# Room for the safetensors header beside the tensors themselves.
HEADER_BYTES = 1_000_000
# Twelve times what ViT-Base has: beyond that a card rather means to fill the memory than to map anything.
MAX_TENSOR_BYTES = 2**32
PIECE_BYTES = 2**20
_AGAIN = "Copy the model folder again; it is damaged or belongs to another card."


def load_model(folder: Path, device: str | torch.device = "cpu") -> tuple[SarViT, ModelCard]:
    """The model of a folder, in eval mode on a device, and its card.

    The card is validated first, the file's size is held against what the card describes, then its hash, and only
    then are tensors read; names and shapes must fit exactly and every value must be finite.

    Raises:
        ModelError: Anything about the folder is missing, damaged or doesn't fit.
    """
    card = ModelCard.load(folder / CARD)
    with torch.device("meta"):
        expected = build_model(card, initialise=False).state_dict()
    path = folder / WEIGHTS
    try:
        _check_sizes(path, sum(t.numel() * t.element_size() for t in expected.values()))
        found = _digest(path)
    except OSError as error:
        raise ModelError(f"No readable {WEIGHTS} at {folder} ({error.strerror}).", _AGAIN) from error
    if found != card.weights_sha256:
        raise ModelError(f"{WEIGHTS} has SHA-256 {found[:12]}…, the card says {card.weights_sha256[:12]}….", _AGAIN)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelError(f"{WEIGHTS} is not a safetensors file ({error}).", _AGAIN) from error
    _match(tensors, expected)
    model = build_model(card, initialise=False)
    model.load_state_dict(tensors, strict=True)
    return model.to(device).eval(), card


def save_model(folder: Path, model: SarViT, card: ModelCard) -> ModelCard:
    """Write a model folder and return the card with the hash of the weights filled in.

    Args:
        folder: Created where missing.
        model: Trained on any device.
        card: Describes `model`; its weights_sha256 is replaced, and activation_ranges of other weights left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = write_tensors({name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()})
    digest = hashlib.sha256(content).hexdigest()
    # Ranges that were measured with other weights say nothing of these.
    ranges = card.activation_ranges if digest == card.weights_sha256 else {}
    card = dataclasses.replace(card, weights_sha256=digest, activation_ranges=ranges)
    # Both are on the disk before either gets its name: a full disk leaves an older model as it was.
    paths = (folder / WEIGHTS, folder / CARD)
    try:
        temporary(paths[0]).write_bytes(content)
        card.save(temporary(paths[1]))
        for path in paths:
            os.replace(temporary(path), path)
    finally:
        for path in paths:
            temporary(path).unlink(missing_ok=True)
    return card


def _check_sizes(path: Path, tensor_bytes: int) -> None:
    """Refuse, before more than eight bytes are read, what is larger than the card describes."""
    if tensor_bytes > MAX_TENSOR_BYTES:
        raise ModelError(f"The card describes {tensor_bytes / 2**30:.0f} GiB of weights.", "Take a smaller model.")
    if path.exists() and not path.is_file():
        raise ModelError(f"{WEIGHTS} is not a file but a folder, pipe or device.", _AGAIN)
    size = path.stat().st_size
    if size > tensor_bytes + HEADER_BYTES:
        raise ModelError(f"{WEIGHTS} has {size} bytes, the card describes {tensor_bytes}.", _AGAIN)
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > HEADER_BYTES:
        raise ModelError(f"{WEIGHTS} begins with a header of {header} bytes.", _AGAIN)


def _digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces: a file that is refused by it costs no memory, however large."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(PIECE_BYTES), b""):
            found.update(piece)
    return found.hexdigest()


def _match(tensors: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    missing, surplus = expected.keys() - tensors.keys(), tensors.keys() - expected.keys()
    if missing or surplus:
        names = ", ".join(sorted(missing | surplus)[:3])
        raise ModelError(f"{WEIGHTS} lacks {len(missing)} tensors and has {len(surplus)} too many ({names}).", _AGAIN)
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ModelError(
                f"Tensor {name} is {tensor.dtype} {tuple(tensor.shape)}, "
                f"the card describes {expected[name].dtype} {tuple(expected[name].shape)}.",
                _AGAIN,
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"Tensor {name} holds values that are not finite.", _AGAIN)
