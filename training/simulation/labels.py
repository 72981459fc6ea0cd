"""Derive the true land cover from a map: borders are displaced, and small spots are missing on the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.card import worldcover as lc
from training.simulation.fields import coordinates, gaussian_field

Labels = NDArray[np.uint8]


def displaced(rng: np.random.Generator, layout: Labels, amplitude: float) -> Labels:
    """Move the borders of a layout by a random field of ``amplitude`` pixels and a common shift; uint8 [H, W]."""
    shape = (layout.shape[0], layout.shape[1])
    rows, columns = coordinates(shape)
    shift = rng.normal(0, 0.6 * amplitude, 2)
    y = rows + shift[0] + amplitude * gaussian_field(rng, shape, 4.0, 3.0)
    x = columns + shift[1] + amplitude * gaussian_field(rng, shape, 4.0, 3.0)
    # Truncation after adding a half rounds to the nearest pixel for all that stay inside the frame.
    y = np.clip(y + 0.5, 0, shape[0] - 1).astype(np.int64)
    x = np.clip(x + 0.5, 0, shape[1] - 1).astype(np.int64)
    result: Labels = layout[y, x]
    return result


# Detail that a coarse map lacks: class on the map, class in spots of it, maximum share.
_HIDDEN = (
    (lc.CROP, lc.TREE, 0.1),
    (lc.CROP, lc.GRASS, 0.12),
    (lc.GRASS, lc.SHRUB, 0.15),
    (lc.GRASS, lc.TREE, 0.08),
    (lc.SHRUB, lc.GRASS, 0.2),
    (lc.SHRUB, lc.BARE, 0.15),
    (lc.TREE, lc.GRASS, 0.06),
    (lc.BUILT, lc.TREE, 0.12),
    (lc.BUILT, lc.GRASS, 0.12),
    (lc.BARE, lc.SHRUB, 0.1),
    (lc.WETLAND, lc.WATER, 0.1),
)


def hide_detail(rng: np.random.Generator, labels: Labels) -> Labels:
    """Add spots of other classes, which the map leaves out; uint8 [H, W]."""
    truth = labels.copy()
    field = gaussian_field(rng, (labels.shape[0], labels.shape[1]), rng.uniform(1.5, 6), 2.6)
    rank = 0.5 * (1.0 + np.tanh(field * 0.8))  # close enough to the normal distribution function
    for code, found, share in _HIDDEN:
        low = rng.uniform(0, 0.5)
        truth[(labels == code) & (rank > low) & (rank < low + rng.uniform(0, share))] = found
    return truth
