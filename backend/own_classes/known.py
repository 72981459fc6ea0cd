"""Compute the known answers of a model of own classes, without the engine that will map with it."""

from __future__ import annotations

import numpy as np

from backend.card.model_card import ModelCard
from backend.core.arrays import FloatArray
from backend.graph.graph import PROBABILITIES
from backend.graph.probe import kept_values, probe_tile
from backend.maps.pca import Components
from backend.own_classes.focal import enlarged, validity, window_features, windowed_sum
from backend.own_classes.trees import Trees


def known_answers(
    backbone: ModelCard, card: ModelCard, seen: tuple[FloatArray, Trees, Components]
) -> dict[str, list[float]]:
    """Return some values of each output for the tile of `backend.graph.probe`.

    Tokens and attention are those of the backbone, whose card knows them; probabilities are computed from its tokens.

    Args:
        backbone: Card of the model whose transformer this is.
        card: Card of the new model.
        seen: Tokens of the tile that the head reads [channels, rows, columns], the forest, and its components.
    """
    known = {name: list(v) for name, v in backbone.network.known.items() if name != PROBABILITIES}
    return {PROBABILITIES: kept_values(_probabilities(card, *seen)), **known}


def _probabilities(card: ModelCard, grid: FloatArray, trees: Trees, components: Components) -> FloatArray:
    """Return the probabilities [classes, tile, tile] of the tile."""
    x, (weight, bias) = probe_tile(len(card.bands), card.tile)[0], components.linear()
    mapped = np.tensordot(weight, grid, axes=1) + bias[:, None, None]
    features = np.concatenate((enlarged(mapped, card.tile), window_features(x, card.arch.windows)))
    found = trees.probabilities(features.reshape(len(features), -1)).T.reshape(-1, card.tile, card.tile)
    there = validity(x).astype(np.float64)
    sums = windowed_sum(found * there, card.arch.smooth) / np.maximum(windowed_sum(there, card.arch.smooth), 1)
    result: FloatArray = (sums / sums.sum(axis=0)).astype(np.float32)
    return result
