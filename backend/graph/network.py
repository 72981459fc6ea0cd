"""Build the whole network of a card from its tensors."""

from __future__ import annotations

import json

from backend.card.deepness import deepness_metadata
from backend.card.model_card import ModelCard
from backend.graph.builder import Builder, Tensors
from backend.graph.graph import PROBABILITIES, Graph, Shape, attention_output, tokens_output
from backend.graph.heads import add_head
from backend.graph.transformer import add_transformer


def build_graph(card: ModelCard, tensors: Tensors) -> Graph:
    """Return the network of a card: probabilities, tokens and attention of every block.

    The batch is free. So is the tile, in multiples of the patch, but for learned positions, which are stored for the
    card's tile.

    Args:
        card: Describes the tensors.
        tensors: All of `backend.card.tensors.expected_tensors`.
    """
    b = Builder(tensors)
    add_transformer(b, card.arch, card.patch)
    add_head(b, card)
    free = card.arch.positions == "none"
    rows, columns = ("rows", "columns") if free else (card.tile, card.tile)
    down, across = ("patch_rows", "patch_columns") if free else (card.tile // card.patch,) * 2
    outputs: dict[str, Shape] = {PROBABILITIES: ("n", len(card.classes), rows, columns)}
    for block in range(card.arch.depth):
        outputs[tokens_output(block)] = ("n", card.arch.embed_dim, down, across)
    for block in range(card.arch.depth):
        outputs[attention_output(block)] = ("n", card.arch.heads, down, across)
    return Graph(tuple(b.nodes), b.constants, ("n", len(card.bands), rows, columns), outputs, _metadata(card))


def _metadata(card: ModelCard) -> dict[str, str]:
    """Return the metadata by which other programs prepare an input and read the probabilities."""
    bands = [
        {"name": band.name, "unit": band.unit, "clip": band.clip, "mean": band.mean, "std": band.std}
        for band in card.bands
    ]
    classes = [{"value": item.value, "name": item.name, "color": item.color} for item in card.classes]
    return {
        "name": card.name,
        "bands": json.dumps(bands),
        "classes": json.dumps(classes),
        "gsd_m": f"{card.gsd_m:g}",
        "licence": card.licence,
        **deepness_metadata(card),
    }
