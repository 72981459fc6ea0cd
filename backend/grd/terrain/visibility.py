"""Find layover and shadow along the lines of an image.

Along a line of sight plane, ground further away is seen under a larger angle and at a larger range. Where its angle is
not larger than that of nearer ground, it lies in shadow; where its range isn't, several places share one echo.
"""

from __future__ import annotations

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray

# Radians and samples below which differences are those of rounding.
LEAST_ANGLE, LEAST_SAMPLE = 1e-10, 1e-6


def visible(angle: DoubleArray) -> BoolArray:
    """Return which cells between the points of rows are not in shadow, [rows, n].

    Args:
        angle: Between the line of sight and nadir, from near to far, [rows, n + 1].
    """
    nearer = np.maximum.accumulate(angle[:, :-1], axis=1)
    found: BoolArray = angle[:, 1:] > nearer + LEAST_ANGLE
    return found


def layover(sample: DoubleArray) -> BoolArray:
    """Return which cells between the points of rows share their echo with others, [rows, n].

    Args:
        sample: Image positions, from near to far on the ground, [rows, n + 1].
    """
    nearer = np.maximum.accumulate(sample, axis=1)
    further = np.minimum.accumulate(sample[:, ::-1], axis=1)[:, ::-1]
    points = (sample < nearer - LEAST_SAMPLE) | (sample > further + LEAST_SAMPLE)
    found: BoolArray = points[:, :-1] | points[:, 1:]
    return found
