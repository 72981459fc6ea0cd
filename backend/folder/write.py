"""Write a model folder: a run that is killed leaves the older model or the new one."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from safetensors.numpy import save as format_tensors

from backend.card.model_card import ModelCard
from backend.card.network_file import NetworkFile
from backend.card.registry import CARD, NETWORK, WEIGHTS
from backend.core.atomic_files import parts_of, sync_folder
from backend.core.cancel import Cancel
from backend.core.claims import claimed
from backend.core.errors import ModelError
from backend.core.placing import place_over
from backend.folder.hashed_file import NEXT, following
from backend.folder.read import Tensors
from backend.graph.graph import INPUT
from backend.graph.network import build_graph
from backend.graph.onnx_file import OPSET, to_bytes

Known = Mapping[str, Sequence[float]]
# A protocol buffer, and so an ONNX file, has at most 2 GiB.
MOST_ONNX_BYTES = 2_000_000_000


def write_model(
    folder: Path, tensors: Tensors, card: ModelCard, known: Known, cancel: Cancel | None = None
) -> ModelCard:
    """Write a model folder and return the card with the hashes filled in.

    The new files get the names of the old only when a card with their hashes is there, and until then they are found
    by these.

    Args:
        folder: Created where missing.
        tensors: All that the card describes.
        card: Its hashes are replaced, and activation_ranges of other weights left out.
        known: Some values of the outputs for the tile of `backend.graph.probe`.
        cancel: Ends it before anything gets its name.

    Raises:
        OSError: It can't be written; an older model is as it was.
        ResourceError: Another run is writing it.
        Cancelled: The run was stopped; an older model is as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = format_tensors(tensors)
    digest = hashlib.sha256(content).hexdigest()
    # Ranges that were measured with other weights say nothing of these.
    ranges = card.activation_ranges if digest == card.weights_sha256 else {}
    card = dataclasses.replace(card, weights_sha256=digest, activation_ranges=ranges)
    network, card = network_of(card, tensors, known)
    names = {WEIGHTS: content, **({NETWORK: network} if network else {}), CARD: card.to_json().encode()}
    cancel = cancel or Cancel()
    place = folder / WEIGHTS
    with claimed(place), parts_of((folder / name for name in names), place, cancel) as parts:
        # All are on the disk before one gets its name: a full disk leaves an older model as it was.
        for part, data in zip(parts, names.values()):
            part.write(data)
        with cancel.shielded():
            settle(folder)
            for part, name in zip(parts, names):
                part.place(_before_its_card(folder, name, card))
            sync_folder(folder)
            settle(folder)
    return card


def network_of(card: ModelCard, tensors: Tensors, known: Known) -> tuple[bytes, ModelCard]:
    """Return the content of network.onnx, and the card that describes it; nothing where it would be too large."""
    graph = build_graph(card, tensors)
    if sum(value.nbytes for value in graph.constants.values()) > MOST_ONNX_BYTES:
        return b"", dataclasses.replace(card, network=NetworkFile())
    content = to_bytes(graph)
    described = NetworkFile(
        hashlib.sha256(content).hexdigest(), OPSET, INPUT, tuple(graph.outputs),
        {name: list(values) for name, values in known.items()},
    )  # fmt: skip
    return content, dataclasses.replace(card, network=described)


def _before_its_card(folder: Path, name: str, card: ModelCard) -> Path | None:
    digests = {WEIGHTS: card.weights_sha256, NETWORK: card.network.sha256}
    return following(folder, name, digests[name]) if name in digests else None


def settle(folder: Path) -> None:
    """Give the files that the card of a folder describes their names, and remove those that no card came for."""
    expected: list[Path] = []
    with suppress(ModelError, OSError):
        card = ModelCard.load(folder / CARD)
        for name, digest in ((WEIGHTS, card.weights_sha256), (NETWORK, card.network.sha256)):
            expected.append(following(folder, name, digest))
            with suppress(OSError):
                place_over(expected[-1], folder / name)
        if not card.network.sha256:
            (folder / NETWORK).unlink(missing_ok=True)
        sync_folder(folder)
    for old in folder.glob(f".*{NEXT}"):
        # On Windows files that a program holds open can't be replaced: then they are found by their hash for now.
        if old not in expected:
            old.unlink(missing_ok=True)
