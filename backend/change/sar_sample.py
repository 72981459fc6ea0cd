"""Read places all over two dates, for the estimate of looks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.change.date_pair import DatePair
from backend.core.arrays import BoolArray, FloatArray

# Places per axis, and their side in pixels: four blocks of `looks.BLOCK`.
PLACES, SIDE = 8, 64


def log_ratio_windows(pair: DatePair) -> Iterator[tuple[FloatArray, BoolArray]]:
    """Yield the natural logarithm of the ratio, float32 [polarisations, H, W], and validity [H, W] of each place."""
    grid = pair.grid
    tall, wide = min(grid.height, SIDE), min(grid.width, SIDE)
    for top in np.unique(np.linspace(0, grid.height - tall, PLACES).astype(int)).tolist():
        for left in np.unique(np.linspace(0, grid.width - wide, PLACES).astype(int)).tolist():
            power, valid = pair.window(top, left, tall, wide)
            safe = np.where(valid, power, np.float32(1))
            yield np.log(safe[1] / safe[0]), valid
