"""Augment SAR images in physical terms: speckle, gain and hidden bands.

Photometric augmentations of optical images are not used: the absolute backscatter carries the class, and views may
differ only as two acquisitions of the same place do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import FloatArray
from backend.radiometry.convert import is_backscatter, to_power
from backend.radiometry.units import Units
from backend.raster.band_names import acquisition
from training.run.common_config import AugmentConfig

# Filter along an axis that gives white speckle a correlation of 0.67 at lag 1 and 0.17 at lag 2; in Sentinel-1 IW GRDH
# at 10 m, 0.6 to 0.7 and 0.1 to 0.4 were measured.
SPECKLE_KERNEL = np.array([0.25, 0.5, 0.25], dtype=np.float32)


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
    # Smoothing multiplies the variance by the sum of squared weights, once per axis.
    finer = looks * float(np.square(SPECKLE_KERNEL).sum()) ** 2
    padded = (*shape[:-2], shape[-2] + 2, shape[-1] + 2)
    noise = rng.standard_gamma(finer, size=padded, dtype=np.float32) / np.float32(finer)
    side, middle, _ = SPECKLE_KERNEL
    noise = side * (noise[..., :-2, :] + noise[..., 2:, :]) + middle * noise[..., 1:-1, :]
    result: FloatArray = side * (noise[..., :-2] + noise[..., 2:]) + middle * noise[..., 1:-1]
    return result


def augment(
    values: FloatArray, gain_db: float, bands: Sequence[Band], config: AugmentConfig, rng: np.random.Generator
) -> FloatArray:
    """Apply to a view what may differ between two acquisitions of one place.

    Args:
        values: [B, H, W] linear power, coherence plain, NaN where invalid; changed in place.
        gain_db: Gain of the whole sample, shared by its views.
        bands: The card's bands; coherence has neither speckle nor gain.
        config: Strength of the augmentations.
        rng: Random generator.

    Returns:
        [B, H, W], as `values`.
    """
    radar = is_backscatter(bands)
    power = values if radar.all() else values[radar]
    # Speckle: it differs between acquisitions of the same place, and does not depend on the class.
    if config.speckle and rng.random() < config.speckle:
        low, high = np.log(config.speckle_looks)
        looks = float(np.exp(rng.uniform(low, high)))
        power *= speckle(power.shape, looks, config.speckle_correlated, rng)
    # Gain: calibration, incidence angle, soil moisture. It must be small, or water would look like fields.
    dates = _acquisitions(bands)
    gain = gain_db + rng.normal(0, config.gain_common_db, size=max(dates, default=0) + 1)[dates]
    gain += rng.normal(0, config.gain_band_db, size=len(power))
    power *= to_power(gain.astype(np.float32), Units.DB)[:, None, None]
    if power is not values:
        values[radar] = power
    # Band drop: a user's scene may have one polarisation only.
    present = np.flatnonzero(np.isfinite(values).any(axis=(1, 2)))
    if config.band_drop and rng.random() < config.band_drop and len(present) > 1:
        values[rng.choice(present)] = np.nan
    return values


def _acquisitions(bands: Sequence[Band]) -> list[int]:
    """Number the acquisition of each backscatter band from 0; bands that differ in polarisation only share one."""
    names = [acquisition(band.name) for band, radar in zip(bands, is_backscatter(bands)) if radar]
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return [order[name] for name in names]
