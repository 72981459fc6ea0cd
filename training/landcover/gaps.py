"""Draw areas without data in labelled crops: swath edges, borders, holes, masked classes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from backend.core.arrays import BoolArray

# Least share of a crop that stays valid.
LEAST_VALID = 0.1


def draw_gap(target: NDArray[np.int16], rng: np.random.Generator) -> BoolArray:
    """Draw an area of a crop in which mapping has no data.

    Args:
        target: int16 [H, W], target of each pixel; negative where there is none.
        rng: Random generator.

    Returns:
        bool [H, W]; all False where less than `LEAST_VALID` of the crop would be left.
    """
    kind = rng.integers(4)
    if kind == 0:
        gap = _beyond_a_line(target.shape, rng)
    elif kind == 1:
        gap = _border(target.shape, rng)
    elif kind == 2:
        gap = _holes(target.shape, rng)
    else:
        gap = _masked_class(target, rng)
    return gap if (~gap).mean() >= LEAST_VALID else np.zeros(target.shape, dtype=np.bool_)


def _beyond_a_line(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Return one side of a straight line, as beyond the edge of a swath."""
    rows, columns = np.indices(shape, sparse=True)
    angle = rng.uniform(0, 2 * math.pi)
    along = rows * math.sin(angle) + columns * math.cos(angle)
    low, high = along.min(), along.max()
    gap: BoolArray = along > low + rng.uniform(0.1, 0.9) * (high - low)
    return gap


def _border(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Return all but a rectangle, as around a clipped scene; each side is left out half of the time."""
    inside = []
    for size in shape:
        ends = rng.uniform(0, 0.5, 2) * (rng.random(2) < 0.5)
        inside.append(slice(round(size * ends[0]), size - round(size * ends[1])))
    gap = np.ones(shape, dtype=np.bool_)
    gap[tuple(inside)] = False
    return gap


def _holes(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Return blobs of 5 to 60 % of the crop, as where water, layover or shadow is masked."""
    noise = gaussian_filter(rng.standard_normal(shape), rng.uniform(1, 10), mode="wrap")
    gap: BoolArray = noise > np.quantile(noise, rng.uniform(0.4, 0.95))
    return gap


def _masked_class(target: NDArray[np.int16], rng: np.random.Generator) -> BoolArray:
    """Return the pixels of one class, as where users mask water."""
    classes = np.unique(target[target >= 0])
    if not len(classes):
        return np.zeros(target.shape, dtype=np.bool_)
    gap: BoolArray = target == rng.choice(classes)
    return gap
