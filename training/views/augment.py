"""Augment SAR images in physical terms: speckle, gain and hidden bands.

Photometric augmentations of optical images are not used: the absolute backscatter carries the class, and views may
differ only as two acquisitions of the same place do. What changes is drawn apart from its application, so that the
views of pre-training can be made on another device than the one that draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.radiometry.convert import is_backscatter, to_power
from backend.radiometry.units import Units
from backend.raster.band_names import acquisition
from training.run.common_config import AugmentConfig

# Filter along an axis that gives white speckle a correlation of 0.67 at lag 1 and 0.17 at lag 2; in Sentinel-1 IW GRDH
# at 10 m, 0.6 to 0.7 and 0.1 to 0.4 were measured.
SPECKLE_KERNEL = np.array([0.25, 0.5, 0.25], dtype=np.float32)
# Smoothing multiplies the variance of white speckle by the sum of squared weights, once per axis.
SMOOTHED_VARIANCE = float(np.square(SPECKLE_KERNEL).sum()) ** 2


class Changes(NamedTuple):
    """Describe how a view differs from the pixels that it is cut from.

    Attributes:
        looks: Equivalent number of looks of the extra speckle; 0 for none.
        gain_db: float32 [B] in dB; 0 for coherence.
        dropped: Number of the band that is hidden; -1 for none.
    """

    looks: float
    gain_db: FloatArray
    dropped: int


def draw_changes(
    gain_db: float, bands: Sequence[Band], present: BoolArray, config: AugmentConfig, rng: np.random.Generator
) -> Changes:
    """Draw the random differences between two acquisitions of one place.

    Args:
        gain_db: Gain of the whole sample, shared by its views.
        bands: The card's bands; coherence has neither speckle nor gain.
        present: bool [B], whether a band has a value anywhere.
        config: Strength of the augmentations.
        rng: Random generator.
    """
    # Speckle: it differs between acquisitions of the same place, and does not depend on the class.
    looks = 0.0
    if config.speckle and rng.random() < config.speckle:
        low, high = np.log(config.speckle_looks)
        looks = float(np.exp(rng.uniform(low, high)))
    # Gain: calibration, incidence angle, soil moisture. It must be small, or water would look like fields.
    rows, dates = _acquisitions(tuple(bands))
    gain = np.zeros(len(bands), dtype=np.float32)
    gain[rows] = gain_db + rng.normal(0, config.gain_common_db, size=max(dates, default=0) + 1)[dates]
    gain[rows] += rng.normal(0, config.gain_band_db, size=len(rows))
    # Band drop: a user's scene may have one polarisation only.
    dropped, candidates = -1, np.flatnonzero(present)
    if config.band_drop and rng.random() < config.band_drop and len(candidates) > 1:
        dropped = int(rng.choice(candidates))
    return Changes(looks, gain, dropped)


def speckle(shape: tuple[int, ...], looks: float, correlated: bool, rng: np.random.Generator) -> FloatArray:
    """Draw multiplicative speckle for power, of mean 1 and variance 1 / looks.

    The mean of L independent looks is gamma distributed with shape L (Goodman 1976; Ulaby & Long 2014, ch. 5).

    Args:
        shape: [..., H, W].
        looks: Equivalent number of looks.
        correlated: Smooth speckle of more looks along both axes, so that neighbours correlate as in IW GRDH.
        rng: Random generator.

    Returns:
        float32 of `shape`.
    """
    if not correlated:
        return rng.standard_gamma(looks, size=shape, dtype=np.float32) / np.float32(looks)
    finer = looks * SMOOTHED_VARIANCE
    padded = (*shape[:-2], shape[-2] + 2, shape[-1] + 2)
    noise = rng.standard_gamma(finer, size=padded, dtype=np.float32) / np.float32(finer)
    side, middle, _ = SPECKLE_KERNEL
    noise = side * (noise[..., :-2, :] + noise[..., 2:, :]) + middle * noise[..., 1:-1, :]
    result: FloatArray = side * (noise[..., :-2] + noise[..., 2:]) + middle * noise[..., 1:-1]
    return result


def augment(
    values: FloatArray, gain_db: float, bands: Sequence[Band], config: AugmentConfig, rng: np.random.Generator
) -> FloatArray:
    """Apply to an image what may differ between two acquisitions of one place.

    Args:
        values: [B, H, W] linear power, coherence plain, NaN where invalid; changed in place.
        gain_db: Gain of the whole sample.
        bands: The card's bands.
        config: Strength of the augmentations.
        rng: Random generator.

    Returns:
        [B, H, W], as `values`.
    """
    radar = is_backscatter(bands)
    present: BoolArray = np.isfinite(values).any(axis=(1, 2))
    changes = draw_changes(gain_db, bands, present, config, rng)
    factor = to_power(changes.gain_db[radar], Units.DB)[:, None, None]
    if changes.looks:
        shape = (len(factor), *values.shape[1:])
        factor = factor * speckle(shape, changes.looks, config.speckle_correlated, rng)
    values[radar] *= factor
    if changes.dropped >= 0:
        values[changes.dropped] = np.nan
    return values


@lru_cache(maxsize=8)
def _acquisitions(bands: tuple[Band, ...]) -> tuple[list[int], list[int]]:
    """Return the backscatter bands, and the number of the acquisition of each from 0.

    Bands that differ in polarisation only share an acquisition.
    """
    rows = np.flatnonzero(is_backscatter(bands)).tolist()
    names = [acquisition(bands[row].name) for row in rows]
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return rows, [order[name] for name in names]
