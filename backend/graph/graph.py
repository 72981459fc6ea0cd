"""Define a network as a graph of ONNX operators, and cut out of it what some outputs need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Union

from numpy.typing import NDArray

Attribute = Union[int, float, str, tuple[int, ...]]
# Sides of an array: a number, or the name of one that is known when tiles come.
Shape = tuple[Union[int, str], ...]
INPUT = "tiles"
PROBABILITIES = "probabilities"


def tokens_output(block: int) -> str:
    """Return the name of the output with the tokens of a block, counted from 0."""
    return f"tokens_{block}"


def attention_output(block: int) -> str:
    """Return the name of the output with the class token's attention in a block, counted from 0."""
    return f"attention_{block}"


@dataclass(frozen=True)
class Node:
    """Hold an operator, its inputs and its one output, which has the operator's name."""

    operator: str
    inputs: tuple[str, ...]
    name: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Hold a network: nodes in an order in which they can be computed.

    Attributes:
        nodes: Operators.
        constants: Weights and sizes by name.
        shape: Shape of the input `INPUT`, float32 [n, bands, rows, columns].
        outputs: Shape of each output, float32.
        metadata: Texts for other programs.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    shape: Shape
    outputs: Mapping[str, Shape]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def only(self, outputs: Iterable[str]) -> Graph:
        """Return the part that computes some of the outputs.

        Raises:
            KeyError: There is no such output.
        """
        kept = {name: self.outputs[name] for name in outputs}
        needed, nodes = set(kept), []
        for node in reversed(self.nodes):
            if node.name in needed:
                nodes.append(node)
                needed.update(node.inputs)
        constants = {name: value for name, value in self.constants.items() if name in needed}
        return replace(self, nodes=tuple(reversed(nodes)), constants=constants, outputs=kept)
