"""Quantise the linear maps and convolutions of a graph to eight bits, or emulate that in floats.

As `backend/network/int8.py` does for PyTorch: inputs by one scale from a measured range, weights by one for each output
channel. Engines compute in whole numbers between QuantizeLinear and DequantizeLinear. The emulation rounds to the same
values by plain arithmetic, in which no engine sees whole numbers: what it gives is what the other should give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.graph.graph import Graph, Node

LEVELS, MOST = 255, 127
TINY = 1e-8  # least scale: of a layer whose input or weights are all zero
LAYERS = {"MatMul": 1, "Conv": 0}  # operators, and the axis of their weights on which output channels lie


def layer_names(graph: Graph) -> set[str]:
    """Return the names of the layers that can be quantised: those with weights of their own."""
    return {n.name for n in graph.nodes if n.operator in LAYERS and n.inputs[1] in graph.constants}


def quantised(graph: Graph, ranges: Mapping[str, Sequence[float]], emulated: bool = False) -> Graph:
    """Return a graph whose layers take one of 256 values for each input and weight.

    Args:
        graph: Graph in floats.
        ranges: Lowest and highest input of layers; those that the graph hasn't got are left out.
        emulated: Whether it is computed in floats.
    """
    nodes: list[Node] = []
    constants = dict(graph.constants)
    known = layer_names(graph) & ranges.keys()
    for node in graph.nodes:
        if node.name not in known:
            nodes.append(node)
            continue
        low, high = ranges[node.name]
        x, weight = node.inputs
        parts = _emulated_input if emulated else _quantised_input
        nodes += parts(node.name, x, low, high, constants)
        axis = LAYERS[node.operator]
        whole, scales = _rounded(constants.pop(weight), axis)
        if emulated:
            constants[weight] = (whole * scales).astype(np.float32)
        else:
            constants[f"{weight}.whole"], constants[f"{weight}.scale"] = whole.astype(np.int8), scales.ravel()
            constants[f"{weight}.zero"] = np.zeros(scales.size, np.int8)
            inputs = (f"{weight}.whole", f"{weight}.scale", f"{weight}.zero")
            nodes.append(Node("DequantizeLinear", inputs, weight, {"axis": axis}))
        nodes.append(replace(node, inputs=(f"{node.name}.input", weight)))
    return replace(graph, nodes=tuple(nodes), constants=constants)


def _rounded(weight: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return weights as whole numbers, and their scales, of as many axes."""
    others = tuple(other for other in range(weight.ndim) if other != axis)
    scales = (np.maximum(np.abs(weight).max(axis=others, keepdims=True), TINY) / MOST).astype(np.float32)
    return np.clip(np.rint(weight / scales), -MOST, MOST), scales


def _scale(low: float, high: float) -> tuple[float, int]:
    # Zero must be one of the values: it stands for what is invalid, and for what lies beyond a border.
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max((high - low) / LEVELS, TINY)
    return scale, round(-low / scale)


def _quantised_input(layer: str, x: str, low: float, high: float, constants: dict[str, NDArray[Any]]) -> list[Node]:
    scale, zero = _scale(low, high)
    names = (f"{layer}.step", f"{layer}.zero")
    constants[names[0]], constants[names[1]] = np.array(scale, np.float32), np.array(zero, np.uint8)
    return [
        Node("QuantizeLinear", (x, *names), f"{layer}.rounded"),
        Node("DequantizeLinear", (f"{layer}.rounded", *names), f"{layer}.input"),
    ]


def _emulated_input(layer: str, x: str, low: float, high: float, constants: dict[str, NDArray[Any]]) -> list[Node]:
    scale, zero = _scale(low, high)
    names = [f"{layer}.{part}" for part in ("step", "lowest", "highest")]
    for name, value in zip(names, (scale, -zero, LEVELS - zero)):
        constants[name] = np.array(value, np.float32)
    return [
        Node("Div", (x, names[0]), f"{layer}.scaled"),
        Node("Round", (f"{layer}.scaled",), f"{layer}.rounded"),
        Node("Max", (f"{layer}.rounded", names[1]), f"{layer}.raised"),
        Node("Min", (f"{layer}.raised", names[2]), f"{layer}.clipped"),
        Node("Mul", (f"{layer}.clipped", names[0]), f"{layer}.input"),
    ]
