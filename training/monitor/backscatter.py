"""Describe patches by backscatter alone: what tokens must beat to be worth their cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.radiometry.convert import to_linear
from backend.radiometry.units import Units
from backend.stream.fill import fill_invalid
from training.dino.levels import LocalLevels

# Pixels around a patch whose mean and deviation are used in addition to those of the patch itself.
AROUND = 24


def patch_statistics(db: FloatArray, valid: BoolArray, bands: Sequence[Band], patch: int) -> FloatArray:
    """Return mean and deviation, in decibels, of each patch and of AROUND pixels around it.

    Args:
        db: [B, H, W] dB (coherence from 0 to 1), NaN in missing bands.
        valid: bool [H, W]; other pixels are filled as mapping does.
        bands: The card's bands.
        patch: Side of a patch in pixels, which divides both sides.

    Returns:
        float32 [H / patch, W / patch, D]; 0 for missing bands.
    """
    scales = (patch, AROUND) if patch < AROUND and (AROUND - patch) % 2 == 0 else (patch,)
    power = to_linear(fill_invalid(db.astype(np.float32), valid), bands, Units.DB)
    found = LocalLevels(bands, patch, scales)(torch.from_numpy(power)[None, None])[0, 0]
    rows, columns = valid.shape[0] // patch, valid.shape[1] // patch
    result: FloatArray = np.nan_to_num(found.numpy().reshape(rows, columns, -1))
    return result
