"""Compile a network as OpenVINO runs it, without a model folder."""

from __future__ import annotations

from backend.graph.eight_bits import quantised
from backend.graph.network import build_graph


def tensors_of(network):
    """Tensors of a network in PyTorch, as arrays by name."""
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


def compiled(network, card, ranges=None, threads=2):
    """Return the probabilities of a network, compiled; in eight bits where ranges are given."""
    from backend.engines.openvino import Compiled

    graph = build_graph(card, tensors_of(network)).only(["probabilities"])
    if ranges:
        graph = quantised(graph, ranges)
    return Compiled(graph, (len(card.bands), card.tile, card.tile), threads)
