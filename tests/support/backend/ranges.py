"""Measure the ranges of a network's layers, as quantisation needs them."""

from __future__ import annotations

import torch

from backend.network.int8 import layers_of


def ranges_of(network):
    """Ranges of the inputs of all layers, as they are measured before quantisation."""
    found = {}

    def look(name):
        def hook(_, given):
            found[name] = [min(0.0, float(given[0].min())), max(0.0, float(given[0].max()))]

        return hook

    hooks = [layer.register_forward_pre_hook(look(name)) for name, layer in layers_of(network).items()]
    with torch.inference_mode():
        network(torch.randn(16, 2, 64, 64, generator=torch.Generator().manual_seed(0)))
    for hook in hooks:
        hook.remove()
    return found
