"""Refuse a graph from a file that is not what a card describes, or that holds more than networks need.

A model folder may come from anyone. Before an engine sees its graph, everything in it is known: the operators and their
order, the input, the outputs, and that all numbers are finite. A known answer shows whether it computes the right
values (`backend.graph.probe`).
"""

from __future__ import annotations

import numpy as np

from backend.card.model_card import ModelCard
from backend.graph.graph import PROBABILITIES, Graph, attention_output, tokens_output
from backend.graph.wire import WireError

OPERATORS = frozenset(
    (
        "Abs", "Add", "AveragePool", "Cast", "Concat", "Conv", "Div", "Erf", "Expand", "Gather", "Greater",
        "LayerNormalization", "MatMul", "Max", "Mul", "Range", "ReduceMax", "ReduceProd", "ReduceSum", "Reshape",
        "Resize", "Shape", "Slice", "Softmax", "Sqrt", "Sub", "Transpose",
    )
)  # fmt: skip
MOST_NODES = 100_000
LONGEST_NAME = 200


def check_graph(graph: Graph, card: ModelCard) -> None:
    """Refuse a graph that can't be the network of a card.

    Raises:
        WireError: What is wrong with it.
    """
    if len(graph.nodes) > MOST_NODES:
        raise WireError(f"it has {len(graph.nodes)} operators; at most {MOST_NODES} are accepted")
    _check_order(graph)
    _check_shapes(graph, card)
    for name, value in graph.constants.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise WireError(f"the constant {name!r:.60} holds values that are not finite")


def _check_order(graph: Graph) -> None:
    """Refuse operators that aren't known, names that come twice, and inputs that nothing gives."""
    given = {"", "tiles", *graph.constants}
    for node in graph.nodes:
        if node.operator not in OPERATORS:
            raise WireError(f"it has the operator {node.operator!r:.60}, which no network of this program needs")
        lost = [name for name in node.inputs if name not in given]
        if lost:
            raise WireError(f"the operator {node.name!r:.60} reads {lost[0]!r:.60}, which nothing before it gives")
        if node.name in given or len(node.name) > LONGEST_NAME:
            raise WireError(f"the name {node.name!r:.60} comes twice, or is too long")
        given.add(node.name)
    computed = {node.name for node in graph.nodes}
    for name in graph.outputs:
        if name not in computed:
            raise WireError(f"no operator gives the output {name!r:.60}")


def _check_shapes(graph: Graph, card: ModelCard) -> None:
    wanted = {PROBABILITIES: len(card.classes)}
    for block in range(card.arch.depth):
        wanted[tokens_output(block)], wanted[attention_output(block)] = card.arch.embed_dim, card.arch.heads
    found = {name: shape[1] if len(shape) == 4 else None for name, shape in graph.outputs.items()}
    if found != wanted:
        odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))[0]
        raise WireError(f"its output {odd!r:.60} is missing, not known, or hasn't the channels of the card")
    bands, sides = len(card.bands), graph.shape[2:]
    if len(graph.shape) != 4 or graph.shape[1] != bands or any(s != card.tile for s in sides if isinstance(s, int)):
        raise WireError(f"its input is {graph.shape}, the card has {bands} bands and tiles of {card.tile} pixels")
