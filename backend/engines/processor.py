"""Choose how many tiles PyTorch works on at once on a processor."""

from __future__ import annotations

from math import prod

from backend.card.model_card import ModelCard
from backend.card.tensors import expected_tensors, is_weight

# A batch on the processor should take a fraction of a second, so that a run stops soon after a cancel.
CPU_BATCH_FLOP = 15e9
MOST_TILES = 8


def processor_batch(card: ModelCard) -> int:
    """Return the tiles at once, from sizes of the model alone, so that equal runs choose equally."""
    return int(max(1, min(MOST_TILES, CPU_BATCH_FLOP // tile_flop(card))))


def tile_flop(card: ModelCard) -> float:
    """Return the operations of one tile, roughly: every weight for every token, and attention."""
    tokens, arch = (card.tile // card.patch) ** 2, card.arch
    weights = sum(prod(each.shape) for name, each in expected_tensors(card).items() if is_weight(name))
    return float(2 * weights * tokens + 4 * arch.depth * tokens**2 * arch.embed_dim)
