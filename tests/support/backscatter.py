"""Draw random backscatter."""

import numpy as np


def land(rng, vv=-11.0, vh=-18.0, spread=3.0):
    """Return dB of a plausible scene, float32 [2, 64, 64]."""
    return np.stack([rng.normal(vv, spread, (64, 64)), rng.normal(vh, spread, (64, 64))]).astype(np.float32)


def every(values):
    """Return the validity of [..., rows, columns] if all pixels are valid."""
    return np.ones(values.shape[-2:], dtype=bool)
