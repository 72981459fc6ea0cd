"""Make one tile that is the same everywhere, and keep values of the answers to it, by which engines are checked.

Whoever writes a model folder puts the answers of PyTorch to this tile into the card, some values of each output. An
engine that gives others, on whatever processor, is refused before it maps anything.
"""

from __future__ import annotations

import numpy as np

from backend.core.arrays import FloatArray

KEPT = 32  # values of each output
TOLERANCE = 1e-4  # for each unit of the largest value
# The last bit of a feature may decide which way a tree goes: of a forest single pixels may differ.
TOLERANCE_OF_TREES = 0.02


def probe_tile(bands: int, tile: int) -> FloatArray:
    """Return a tile float32 [1, bands, tile, tile] of values from -2 to 2, by plain integer arithmetic."""
    x = np.arange(bands * tile * tile, dtype=np.uint32) + np.uint32(1)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    values = (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-22) - np.float32(2)
    return values.reshape(1, bands, tile, tile)


def kept_values(answer: FloatArray) -> list[float]:
    """Return some values of an answer, from all over it."""
    flat = answer.ravel()
    step = max(1, flat.size // KEPT)
    places = np.arange(min(KEPT, flat.size)) * step + np.arange(min(KEPT, flat.size)) * 7919 % step
    return [float(f"{value:.7g}") for value in flat[places]]


def difference(answer: FloatArray, known: list[float]) -> float:
    """Return how far an answer is from known values, for each unit of the largest; infinite for another number."""
    wanted = np.array(known)
    found = np.array(kept_values(answer))
    if found.shape != wanted.shape or not np.isfinite(answer).all():
        return float("inf")
    return float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max()))
