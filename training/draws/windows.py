"""Choose and cut the square window of a sample, at one date or several of one place.

Candidates are drawn together and sorted by the coarse coverage, so that mostly pixels with data are read, from memory
or disk. The validity of the pixels themselves decides last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from training.data.coverage import Coverage
from training.data.tiles import extend

# Reads values [B, h, w] and validity [h, w] of each date, for top, left, height and width.
Read = Callable[[Sequence[int]], Sequence[tuple[NDArray[Any], BoolArray]]]

CANDIDATES, ATTEMPTS = 64, 10


def propose(
    coverages: Sequence[Coverage], side: int, min_valid: float, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return corners (top, left) of random squares: first those that seem valid enough, then by valid share.

    Args:
        coverages: Coverage of each date, all of one size.
        side: Side in pixels; of a smaller image the only square is the whole image.
        min_valid: Sufficient valid share, at the date with the lowest share.
        rng: Random generator.
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
    """Cut a random square, the same at each date, with NaN for invalid pixels.

    Args:
        read: Reads pixels.
        coverages: Coverage of each date.
        side: Side in pixels; smaller images are extended by reflection.
        min_valid: Squares with a lower share that is valid at all dates are drawn again; after ATTEMPTS draws the best
            is taken.
        rng: Random generator.

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
