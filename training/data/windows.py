"""Which square of an image a sample is cut from, and cutting it, at one date or at several of one place.

Candidates are drawn at once and put in order by what the coarse coverage says of them, so that pixels are read where
there is data, whether the image lies in memory or on disk; the pixels themselves decide last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from training.data.coverage import Coverage
from training.data.tiles import extend

# Top, left, height and width to values [B, h, w] and validity [h, w] of each date.
Read = Callable[[Sequence[int]], Sequence[tuple[NDArray[Any], BoolArray]]]

CANDIDATES, ATTEMPTS = 64, 10


def propose(
    coverages: Sequence[Coverage], side: int, min_valid: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Corners (top, left) of random squares, those that seem valid enough first, then the fuller ones.

    Args:
        coverages: Of each date, all of one size.
        side: In pixels; of a smaller image the only square is all of it.
        min_valid: Valid share that is enough, at the date that has the least.
        rng: Source of the draws.
    """
    height, width = coverages[0].height, coverages[0].width
    tops = rng.integers(0, max(height - side, 0) + 1, size=CANDIDATES)
    lefts = rng.integers(0, max(width - side, 0) + 1, size=CANDIDATES)
    share = np.min([coverage.share(tops, lefts, side) for coverage in coverages], axis=0)
    order = np.argsort(-np.minimum(share, min_valid), kind="stable")
    corners = dict.fromkeys((int(tops[i]), int(lefts[i])) for i in order)
    return list(corners)[:ATTEMPTS]


def cut_windows(
    read: Read, coverages: Sequence[Coverage], side: int, min_valid: float, rng: np.random.Generator
) -> list[FloatArray]:
    """A random square, the same at each date, invalid pixels as NaN.

    Args:
        read: Gives pixels.
        coverages: Of each date.
        side: In pixels; a smaller image is continued by reflection.
        min_valid: A square of which less is valid at all dates is drawn again; after ATTEMPTS the best one is taken.
        rng: Source of the draws.

    Returns:
        float32 [B, side, side] of each date.
    """
    height, width = min(side, coverages[0].height), min(side, coverages[0].width)
    best: Sequence[tuple[NDArray[Any], BoolArray]] = ()
    best_share = -1.0
    for top, left in propose(coverages, side, min_valid, rng):
        dates = read((top, left, height, width))
        share = float(np.logical_and.reduce([valid for _, valid in dates]).mean())
        if share > best_share:
            best, best_share = dates, share
        if share >= min_valid:
            break
    return [extend(np.where(valid, values, np.nan).astype(np.float32), side) for values, valid in best]
