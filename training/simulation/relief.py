"""Simulate effects of viewing geometry: brightness of slopes, and bright and dark rims at forest edges.

In ground-range products without terrain flattening a pixel covers more area on slopes that face the radar: power is
proportional to sin(theta) / sin(theta - slope) (Small 2011, "Flattening Gamma: Radiometric Terrain Correction for SAR
Imagery"). In terrain-corrected products a small part of the effect remains.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from backend.core.arrays import FloatArray
from training.simulation.fields import gaussian_field

Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def slope_gain(
    rng: np.random.Generator, shape: tuple[int, int], incidence: float, look: int, steepness: float, flat: Mask
) -> FloatArray:
    """Return the modulation by random hills in dB, float32 [H, W].

    Args:
        rng: Generator.
        shape: Rows and columns.
        incidence: Incidence angle over flat ground, degrees.
        look: +1 if the radar looks towards higher columns, else -1.
        steepness: Standard deviation of the slope along range, degrees.
        flat: bool [H, W], ground that is always level (water).
    """
    height = gaussian_field(rng, shape, rng.uniform(12, 50), rng.uniform(3.6, 4.4))
    tilt = np.gradient(height, axis=1) * look
    tilt = np.clip(tilt / max(float(tilt.std()), 1e-6) * steepness, -0.9 * incidence, 0.75 * incidence)
    theta = np.deg2rad(incidence)
    gain = 10.0 * np.log10(np.sin(theta) / np.sin(theta - np.deg2rad(tilt)))
    gain = np.clip(gain, -8.0, 9.0).astype(np.float32)
    gain[flat] = 0.0
    result: FloatArray = gain
    return result


def edge_gain(rng: np.random.Generator, tall: Mask, look: int) -> FloatArray:
    """Return the effect of forest edges in dB, float32 [H, W]: bright where they face the radar, dark in shadow."""
    wall = ndimage.uniform_filter1d(tall.astype(np.float32), 3, axis=1)
    step = np.gradient(wall, axis=1) * look
    bright, dark = rng.uniform(0, 4.0), rng.uniform(0, 6.0)
    lit = np.where(tall, np.maximum(step, 0) * bright, 0.0)
    shade = np.where(tall, 0.0, np.maximum(-step, 0) * dark)
    result: FloatArray = (2.0 * (lit - shade)).astype(np.float32)
    return result
