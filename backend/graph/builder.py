"""Build a graph operator by operator from the tensors of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import FloatArray
from backend.graph.graph import Attribute, Node

Tensors = Mapping[str, NDArray[Any]]
NORM_EPSILON = 1e-6  # of timm's vision transformers


class Builder:
    """Collect nodes and constants; each method adds operators, and returns the name of their result.

    Operators that are linear maps or convolutions have the name of the layer in PyTorch, by which
    `backend.graph.eight_bits` finds them.

    Args:
        tensors: Tensors of the network, by their names in PyTorch.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._small: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Attribute) -> str:
        """Add an operator; without a name it gets a number."""
        name = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(Node(operator, inputs, name, attributes))
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant with a name."""
        self.constants[name] = value
        return name

    def numbers(self, values: Sequence[int] | int) -> str:
        """Return the name of a constant with whole numbers, int64; equal ones are kept once."""
        return self._kept(np.asarray(values, dtype=np.int64))

    def floats(self, values: Sequence[float] | float) -> str:
        """Return the name of a constant with float32; equal ones are kept once."""
        return self._kept(np.asarray(values, dtype=np.float32))

    def _kept(self, value: NDArray[Any]) -> str:
        key = (value.dtype.name, value.shape, value.tobytes())
        if key not in self._small:
            self._small[key] = self.constant(f"constant_{len(self._small)}", value)
        return self._small[key]

    def slice(self, x: str, start: int, end: int, axis: int) -> str:
        """Take a part of an axis."""
        ends = (self.numbers([start]), self.numbers([end]), self.numbers([axis]))
        return self.add("Slice", x, *ends)

    def rest(self, x: str, start: int, axis: int) -> str:
        """Take an axis from a place to its end."""
        return self.slice(x, start, 2**31 - 1, axis)

    def linear(self, x: str, layer: str) -> str:
        """Apply a linear map to the last axis."""
        weight = self.constant(f"{layer}.weight", np.ascontiguousarray(self.tensors[f"{layer}.weight"].T))
        bias = self.constant(f"{layer}.bias", self.tensors[f"{layer}.bias"])
        return self.add("Add", self.add("MatMul", x, weight, name=layer), bias, name=f"{layer}.sum")

    def convolution(self, x: str, layer: str, stride: int = 1, groups: int = 1, norm: str = "") -> str:
        """Apply a convolution [O, I, k, k], padded so that a stride of 1 keeps the size.

        Args:
            x: Name of its input [n, channels, rows, columns].
            layer: Name of its tensors.
            stride: Step from one place to the next; a kernel as large as the stride isn't padded.
            groups: Number of groups of channels.
            norm: Name of a batch norm, which is multiplied into the weights; empty for none.
        """
        weight = self.tensors[f"{layer}.weight"]
        weight, bias = self._normalised(weight, norm) if norm else (weight, self.tensors[f"{layer}.bias"])
        side = weight.shape[2]
        pad = 0 if side == stride else (side - 1) // 2
        x = self.add(
            "Conv", x, self.constant(f"{layer}.weight", weight), name=layer, kernel_shape=(side, side),
            strides=(stride, stride), pads=(pad,) * 4, group=groups,
        )  # fmt: skip
        return self.add("Add", x, self.constant(f"{layer}.bias", bias.reshape(1, -1, 1, 1)), name=f"{layer}.sum")

    def _normalised(self, weight: FloatArray, norm: str) -> tuple[FloatArray, FloatArray]:
        scale, shift, mean, variance = (
            self.tensors[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + 1e-5)
        folded = (weight * factor[:, None, None, None]).astype(np.float32)
        return folded, (shift - mean * factor).astype(np.float32)

    def layer_norm(self, x: str, layer: str) -> str:
        """Normalise the last axis."""
        parts = [self.constant(f"{layer}.{part}", self.tensors[f"{layer}.{part}"]) for part in ("weight", "bias")]
        return self.add("LayerNormalization", x, *parts, axis=-1, epsilon=NORM_EPSILON)

    def gelu(self, x: str) -> str:
        """Apply the exact GELU."""
        scaled = self.add("Div", x, self.floats(2**0.5))
        raised = self.add("Add", self.add("Erf", scaled), self.floats(1.0))
        return self.add("Mul", self.add("Mul", x, raised), self.floats(0.5))

    def enlarge(self, x: str, factor: int) -> str:
        """Enlarge [n, channels, rows, columns] bilinearly."""
        scales = self.floats([1.0, 1.0, float(factor), float(factor)])
        return self.add("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")

    def average(self, x: str, sides: tuple[int, int], count_pad: bool) -> str:
        """Average windows around each pixel; what lies beyond the edge counts as zero, or not at all."""
        down, across = sides[0] // 2, sides[1] // 2
        return self.add(
            "AveragePool", x, kernel_shape=sides, strides=(1, 1), pads=(down, across, down, across),
            count_include_pad=int(count_pad),
        )  # fmt: skip

    def join(self, parts: Sequence[str], axis: int = 1) -> str:
        """Join along an axis."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=axis)

    def sizes(self, x: str, first: int, end: int) -> str:
        """Return some sides of an array, int64."""
        return self.slice(self.add("Shape", x), first, end, 0)
