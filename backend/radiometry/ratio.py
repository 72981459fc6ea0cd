"""Find the ratio of two bands among three: colour composites hold one, in any place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The relation holds within so many dB in nearly all pixels.
WITHIN, NEARLY_ALL = 0.05, 0.98
# In dB; polarisations lie below their ratio by this at least, or it is open which band is the ratio.
APART = 2.0
# Fewer pixels than this aren't sufficient.
TELLING = 100


def ratio_row(sample: NDArray[Any], valid: NDArray[Any]) -> int | None:
    """Return which of three bands is the ratio of the other two, or their difference in dB; None if none is.

    Args:
        sample: Values of three bands [3, H, W], in dB or linear units.
        valid: Validity [H, W].
    """
    values = np.asarray(sample, dtype=np.float64)[:, np.asarray(valid, dtype=np.bool_)]
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[1] < TELLING:
        return None
    if np.percentile(values, 1) > 0:
        values = 10 * np.log10(np.maximum(values, 1e-12))
    # Of a = b - c each is a sum or difference of the other two: the greatest is the ratio.
    signs = np.array([(1, 1, -1), (1, -1, 1), (-1, 1, 1), (1, 1, 1)], dtype=np.float64)
    if (np.mean(np.abs(signs @ values) < WITHIN, axis=1) < NEARLY_ALL).all():
        return None
    medians = np.median(values, axis=1)
    order = np.argsort(medians)
    return int(order[-1]) if medians[order[-1]] - medians[order[-2]] > APART else None
