"""Load and save a model folder: card.json and model.safetensors, hash checked, loaded strictly, no pickle."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, WEIGHTS
from backend.core.atomic_files import parts_of, sync_folder
from backend.core.cancel import Cancel
from backend.core.claims import claimed
from backend.core.errors import ModelError
from backend.core.placing import place_over
from backend.network.vit import SarViT, build_model

# Room for the safetensors header, in addition to the tensors.
HEADER_BYTES = 1_000_000
# Twelve times what ViT-Base has: beyond that a card rather means to fill the memory than to map anything.
MAX_TENSOR_BYTES = 2**32
PIECE_BYTES = 2**20
# Weights for which a card is on the way.
NEXT = ".sardino-next"
_AGAIN = "Copy the model folder again; it is damaged or belongs to another card."


def load_model(folder: Path, device: str | torch.device = "cpu") -> tuple[SarViT, ModelCard]:
    """Return the model of a folder, in eval mode on a device, and its card.

    The card is validated first, the file's size is held against what the card describes, then the hash of what was
    read, from which tensors are made; names and shapes must fit exactly and every value must be finite.

    Raises:
        ModelError: Anything about the folder is missing, damaged or doesn't fit.
    """
    card = ModelCard.load(folder / CARD)
    with torch.device("meta"):
        expected = build_model(card, initialise=False).state_dict()
    following = _following(folder, card.weights_sha256)
    path = following if following.exists() else folder / WEIGHTS
    try:
        content = _read(path, sum(t.numel() * t.element_size() for t in expected.values()), card.weights_sha256)
    except OSError as error:
        raise ModelError(f"No readable {WEIGHTS} at {folder} ({error.strerror}).", _AGAIN) from error
    try:
        tensors = read_tensors(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{WEIGHTS} is not a safetensors file ({error}).", _AGAIN) from error
    _match(tensors, expected)
    model = build_model(card, initialise=False)
    model.load_state_dict(tensors, strict=True)
    return model.to(device).eval(), card


def save_model(folder: Path, model: SarViT, card: ModelCard, cancel: Cancel | None = None) -> ModelCard:
    """Write a model folder and return the card with the hash of the weights filled in.

    A run that is killed leaves the older model or the new one: the new weights get the name of the old only when a
    card with their hash is there, and until then `load_model` finds them by that hash.

    Args:
        folder: Created where missing.
        model: Trained on any device.
        card: Describes `model`; its weights_sha256 is replaced, and activation_ranges of other weights left out.
        cancel: Ends it before anything gets its name.

    Raises:
        OSError: It can't be written; an older model is as it was.
        ResourceError: Another run is writing it.
        Cancelled: The run was stopped; an older model is as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = write_tensors({name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()})
    digest = hashlib.sha256(content).hexdigest()
    # Ranges that were measured with other weights say nothing of these.
    ranges = card.activation_ranges if digest == card.weights_sha256 else {}
    card = dataclasses.replace(card, weights_sha256=digest, activation_ranges=ranges)
    cancel = cancel or Cancel()
    with claimed(folder / WEIGHTS), parts_of((folder / WEIGHTS, folder / CARD), folder / WEIGHTS, cancel) as parts:
        weights, text = parts
        # Both are on the disk before either gets its name: a full disk leaves an older model as it was.
        weights.write(content)
        text.write(card.to_json().encode())
        with cancel.shielded():
            _settle(folder)
            weights.place(_following(folder, digest))
            text.place()
            sync_folder(folder)
            _settle(folder)
    return card


def _following(folder: Path, digest: str) -> Path:
    """Return the name of weights, by their hash, for which a card is on the way or came before them."""
    return folder / f".{WEIGHTS}.{digest[:16]}{NEXT}"


def _settle(folder: Path) -> None:
    """Give the weights that the card of a folder describes their name, and remove what no card came for."""
    following = None
    with suppress(ModelError, OSError):
        following = _following(folder, ModelCard.load(folder / CARD).weights_sha256)
        place_over(following, folder / WEIGHTS)
        sync_folder(folder)
    for old in folder.glob(f".{WEIGHTS}.*{NEXT}"):
        # On Windows weights that a program holds open can't be replaced: then they are found by their hash for now.
        if old != following:
            old.unlink(missing_ok=True)


def _read(path: Path, tensor_bytes: int, digest: str) -> bytes:
    """Read a file of a SHA-256; refuse, before more than eight bytes are read, what is larger than the card describes.

    It is read twice: one that is refused by its hash takes no memory, and what is loaded is what was hashed.
    """
    if tensor_bytes > MAX_TENSOR_BYTES:
        raise ModelError(f"The card describes {tensor_bytes / 2**30:.0f} GiB of weights.", "Take a smaller model.")
    if path.exists() and not path.is_file():
        raise ModelError(f"{WEIGHTS} is not a file but a folder, pipe or device.", _AGAIN)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > tensor_bytes + HEADER_BYTES:
            raise ModelError(f"{WEIGHTS} has {size} bytes, the card describes {tensor_bytes}.", _AGAIN)
        header = int.from_bytes(file.read(8), "little")
        if header > HEADER_BYTES:
            raise ModelError(f"{WEIGHTS} begins with a header of {header} bytes.", _AGAIN)
        content, found = b"", _digest(file)
        if found == digest:
            file.seek(0)
            content = file.read(size)
            found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelError(f"{WEIGHTS} has SHA-256 {found[:12]}…, the card says {digest[:12]}….", _AGAIN)
    return content


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    found = hashlib.sha256()
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
