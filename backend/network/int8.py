"""Quantise the linear maps and convolutions of a network to 8-bit integers.

Post-training quantisation of Krishnamoorthi, arXiv 1806.08342, section 3: the input of each layer by one scale from a
range that was measured beforehand (asymmetric, 0 to 255), its weights by one scale for each output channel (symmetric,
-127 to 127). Here it is emulated in floats, which is as slow as before; OpenVINO reads the emulation and computes in
whole numbers what it says.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TypeVar, Union

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

LEVELS = 255
MOST = 127
TINY = 1e-8  # least scale: of a layer whose input or weights are all zero
Network = TypeVar("Network", bound=nn.Module)
Layer = Union[nn.Linear, nn.Conv2d]


def layers_of(network: nn.Module) -> dict[str, Layer]:
    """Return the layers that are quantised, by their names in the network."""
    return {name: part for name, part in network.named_modules() if isinstance(part, (nn.Linear, nn.Conv2d))}


class QuantisedLayer(nn.Module):
    """Wrap a linear map or a convolution whose input and weights take one of 256 values each.

    Args:
        layer: Layer in floats.
        low: Smallest input that is represented.
        high: Greatest input.
    """

    scales: Tensor
    zeros: Tensor

    def __init__(self, layer: Layer, low: float, high: float) -> None:
        """Share the weights of `layer`."""
        super().__init__()
        self.layer = layer
        # Zero must be one of the values: it stands for what is invalid, and for what lies beyond a border.
        low, high = min(low, 0.0), max(high, 0.0)
        self.scale = max((high - low) / LEVELS, TINY)
        self.zero = round(-low / self.scale)
        scales = layer.weight.detach().flatten(1).abs().amax(dim=1).clamp_min(TINY) / MOST
        self.register_buffer("scales", scales)
        self.register_buffer("zeros", torch.zeros(len(scales), dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer does, in eight bits."""
        x = torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, 0, LEVELS)
        weight = torch.fake_quantize_per_channel_affine(self.layer.weight, self.scales, self.zeros, 0, -MOST, MOST)
        layer = self.layer
        if isinstance(layer, nn.Linear):
            return F.linear(x, weight, layer.bias)
        return F.conv2d(x, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def quantised(network: Network, ranges: Mapping[str, Sequence[float]]) -> Network:
    """Return a copy of a network with its layers quantised.

    Args:
        network: Left as it is.
        ranges: Lowest and highest input of each layer, by its name; a layer that isn't named stays in floats.

    Raises:
        ValueError: A name is not that of a linear map or a convolution of this network.
    """
    result = copy.deepcopy(network)
    layers = layers_of(result)
    surplus = sorted(ranges.keys() - layers.keys())
    if surplus:
        raise ValueError(f"no layer of this network is called {', '.join(surplus[:3])}")
    for name, (low, high) in ranges.items():
        parent, _, last = name.rpartition(".")
        setattr(result.get_submodule(parent), last, QuantisedLayer(layers[name], low, high))
    return result
