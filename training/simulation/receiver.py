"""Turn noise-free power into what a product shows: resolution, thermal noise, its subtraction, and speckle.

Products range from single dates, with 4 to 5 looks, to composites of many dates with hardly any speckle. In most of
them the noise floor was subtracted, which leaves calm water dark and scattered in VH, as measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from backend.core.arrays import FloatArray
from training.simulation.climate import Climate
from training.simulation.speckle import speckle

# Noise-equivalent sigma0 in dB over the incidence angle: medians of the annotation of eight Sentinel-1 IW GRDH products
# of 2015 to 2022, VV and VH alike. It steps down from one sub-swath to the next.
_ANGLES = (29.0, 31.0, 32.0, 34.0, 35.0, 36.5, 37.0, 38.0, 39.5, 41.5, 42.0, 43.5, 44.5, 46.0)
_FLOORS = (-23.4, -23.8, -24.7, -25.1, -25.5, -24.2, -25.6, -26.8, -27.4, -25.6, -27.4, -30.6, -29.9, -24.4)
_COMPOSITES, _UNCORRECTED = 0.25, 0.35
# Files hold values above this share of the noise floor after its subtraction.
_LEAST = 0.03


@dataclass(frozen=True)
class Receiver:
    """Hold how a scene was observed and processed.

    Attributes:
        looks: Equivalent number of looks.
        lag1: Autocorrelation of speckle at one row and at one column.
        blur: Sigma in pixels of the resolution cell.
        floors: Noise-equivalent backscatter of VV and VH in dB.
        removed: Share of the noise that was subtracted, from 0 to 1.
    """

    looks: float
    lag1: tuple[float, float]
    blur: float
    floors: tuple[float, float]
    removed: float


def draw_looks(rng: np.random.Generator) -> float:
    """Draw looks from 3 to 12 for single dates, from 8 to 200 for means of several."""
    if rng.random() < _COMPOSITES:
        return float(np.exp(rng.uniform(np.log(8.0), np.log(200.0))))
    return float(np.clip(np.exp(rng.normal(np.log(5.2), 0.28)), 3.0, 12.0))


def draw_receiver(rng: np.random.Generator, climate: Climate) -> Receiver:
    """Draw resolution, looks and noise of a scene; products differ by 0.8 dB in their noise."""
    floor = float(np.interp(climate.incidence, _ANGLES, _FLOORS)) + climate.product_db + rng.normal(0, 0.8)
    return Receiver(
        looks=draw_looks(rng),
        lag1=(rng.uniform(0.6, 0.82), rng.uniform(0.6, 0.82)) if rng.random() < 0.85 else (0.4, 0.4),
        # The resolution cell (about 20 m) is wider than the pixel.
        blur=rng.uniform(0.55, 0.95),
        floors=(floor + rng.normal(0, 0.3), floor + rng.normal(0, 0.3)),
        removed=0.0 if rng.random() < _UNCORRECTED else rng.uniform(0.6, 1.0),
    )


def observe(rng: np.random.Generator, power: FloatArray, receiver: Receiver, band: int) -> FloatArray:
    """Return a band of the product in dB, float32 [H, W], from its noise-free power of that shape."""
    noise = np.float32(10.0 ** (receiver.floors[band] / 10.0))
    signal = ndimage.gaussian_filter(power, receiver.blur, truncate=3.0) + noise
    shape = (power.shape[0], power.shape[1])
    seen = signal * speckle(rng, shape, receiver.looks, receiver.lag1) - np.float32(receiver.removed) * noise
    result: FloatArray = (10.0 * np.log10(np.maximum(seen, _LEAST * noise))).astype(np.float32)
    return result
