"""Backscatter drawn at random."""

import numpy as np


def land(rng, vv=-11.0, vh=-18.0, spread=3.0):
    """dB of a plausible scene, [2, 64, 64]."""
    return np.stack([rng.normal(vv, spread, (64, 64)), rng.normal(vh, spread, (64, 64))]).astype(np.float32)


def every(values):
    """Validity of [..., rows, columns] where all of it is valid."""
    return np.ones(values.shape[-2:], dtype=bool)
