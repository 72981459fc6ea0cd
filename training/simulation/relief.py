"""What the viewing geometry does: slopes in brightness, and bright and dark rims at forest edges.

In ground-range products without terrain flattening the area seen in a pixel grows where a slope faces the radar: power
goes with sin(theta) / sin(theta - slope) (Small 2011, "Flattening Gamma: Radiometric Terrain Correction for SAR
Imagery"). Terrain-corrected products keep only a residue of it.
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
    """Modulation by random hills in dB, float32 [H, W].

    Args:
        rng: Generator.
        shape: Rows and columns.
        incidence: Incidence angle over flat ground, degrees.
        look: +1 if the radar looks towards larger columns, -1 otherwise.
        steepness: Deviation of the slope along range, degrees.
        flat: Where the ground is level whatever the hills (water), bool [H, W].
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
    """Forest edges in dB, float32 [H, W]: bright where the radar meets the wall of trees, dark in their shadow."""
    wall = ndimage.uniform_filter1d(tall.astype(np.float32), 3, axis=1)
    step = np.gradient(wall, axis=1) * look
    bright, dark = rng.uniform(0, 4.0), rng.uniform(0, 6.0)
    lit = np.where(tall, np.maximum(step, 0) * bright, 0.0)
    shade = np.where(tall, 0.0, np.maximum(-step, 0) * dark)
    result: FloatArray = (2.0 * (lit - shade)).astype(np.float32)
    return result
