"""Read the weights and the network of a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors

from backend.card.model_card import ModelCard
from backend.card.registry import NETWORK, WEIGHTS
from backend.card.tensors import Expected, expected_tensors
from backend.core.errors import ModelError
from backend.folder.hashed_file import AGAIN, present, read_hashed
from backend.graph.check import check_graph
from backend.graph.graph import Graph
from backend.graph.network import build_graph
from backend.graph.onnx_file import from_bytes
from backend.graph.wire import WireError

Tensors = dict[str, NDArray[Any]]
# Room for the safetensors header, in addition to the tensors.
HEADER_BYTES = 1_000_000
# Twelve times what ViT-Base has: beyond that a card rather means to fill the memory than to map anything.
MAX_TENSOR_BYTES = 2**32
# Room for operators and sizes in network.onnx; tables of trees have more bytes in it than among the weights.
OPERATOR_BYTES, TABLES = 2**24, 2


def read_tensors(folder: Path, card: ModelCard) -> Tensors:
    """Return the tensors of a folder, by their names in PyTorch.

    The file's size is held against what the card describes, then its hash; names, types and shapes must fit exactly and
    every value must be finite.

    Raises:
        ModelError: The file is missing, damaged or doesn't fit.
    """
    expected = expected_tensors(card)
    tensor_bytes = sum(each.size for each in expected.values())
    if tensor_bytes > MAX_TENSOR_BYTES:
        raise ModelError(f"The card describes {tensor_bytes / 2**30:.0f} GiB of weights.", "Choose a smaller model.")
    path = present(folder, WEIGHTS, card.weights_sha256)
    try:
        _check_header(path)
        content = read_hashed(path, WEIGHTS, tensor_bytes + HEADER_BYTES, card.weights_sha256)
    except OSError as error:
        raise ModelError(f"No readable {WEIGHTS} at {folder} ({error.strerror}).", AGAIN) from error
    try:
        tensors = parse_tensors(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{WEIGHTS} is not a safetensors file ({error}).", AGAIN) from error
    _match(tensors, expected)
    return tensors


def _check_header(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > HEADER_BYTES:
        raise ModelError(f"{WEIGHTS} begins with a header of {header} bytes.", AGAIN)


def _match(tensors: Tensors, expected: dict[str, Expected]) -> None:
    missing, surplus = expected.keys() - tensors.keys(), tensors.keys() - expected.keys()
    if missing or surplus:
        names = ", ".join(sorted(missing | surplus)[:3])
        raise ModelError(f"{WEIGHTS} lacks {len(missing)} tensors and has {len(surplus)} too many ({names}).", AGAIN)
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.dtype.name != wanted.dtype:
            raise ModelError(
                f"Tensor {name} is {tensor.dtype} {tensor.shape}, the card describes {wanted.dtype} {wanted.shape}.",
                AGAIN,
            )
        if tensor.dtype.kind == "f" and not bool(np.isfinite(tensor).all()):
            raise ModelError(f"Tensor {name} holds values that are not finite.", AGAIN)


def read_graph(folder: Path, card: ModelCard) -> Graph:
    """Return the network of a folder as a graph: of network.onnx, or built from the weights where that is missing.

    Raises:
        ModelError: A file is missing, damaged, doesn't fit the card, or holds more than a network needs.
    """
    if card.network.sha256:
        path = present(folder, NETWORK, card.network.sha256)
        if path.exists():
            return _read_network(path, card)
    return build_graph(card, read_tensors(folder, card))


def _read_network(path: Path, card: ModelCard) -> Graph:
    tensor_bytes = sum(each.size for each in expected_tensors(card).values())
    try:
        content = read_hashed(path, NETWORK, TABLES * tensor_bytes + OPERATOR_BYTES, card.network.sha256)
    except OSError as error:
        raise ModelError(f"{path} can't be read ({error.strerror}).", AGAIN) from error
    try:
        graph = from_bytes(content)
        check_graph(graph, card)
    except WireError as error:
        raise ModelError(f"{NETWORK} is not usable: {error}.", AGAIN) from error
    return graph
