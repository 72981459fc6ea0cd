"""Draw random fields: correlated Gaussian noise, field parcels and curved lines."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, ndimage
from scipy.interpolate import CubicSpline

from backend.core.arrays import FloatArray, IntArray


@lru_cache(maxsize=8)
def _frequencies(height: int, width: int) -> FloatArray:
    """Return the radial frequency of every rfft2 coefficient, in cycles per pixel."""
    fy = fft.fftfreq(height)[:, None]
    fx = fft.rfftfreq(width)[None, :]
    result: FloatArray = np.hypot(fy, fx).astype(np.float32)
    return result


def gaussian_field(rng: np.random.Generator, shape: tuple[int, int], length: float, slope: float = 3.0) -> FloatArray:
    """Draw a Gaussian random field with a power-law spectrum.

    Args:
        rng: Random generator.
        shape: Rows and columns.
        length: Correlation length in pixels; the spectrum is flat below the frequency 1 / (2 pi length).
        slope: Exponent of the power spectrum above it; 2 is rough, 4 is smooth.

    Returns:
        float32 [H, W], mean 0, standard deviation 1.
    """
    # The transform makes fields periodic; with a larger frame opposite edges are independent.
    padding = int(min(4 * length, 64)) + 8
    height, width = (int(fft.next_fast_len(n + padding, real=True)) for n in shape)
    noise = rng.standard_normal((height, width), dtype=np.float32)
    knee = 1.0 / (2.0 * np.pi * max(length, 0.1))
    gain = (_frequencies(height, width) ** 2 + np.float32(knee**2)) ** np.float32(-slope / 4.0)
    field = fft.irfft2(fft.rfft2(noise) * gain, s=(height, width))[: shape[0], : shape[1]]
    return standardise(field)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> FloatArray:
    """Draw white noise filtered by a Gaussian of ``sigma`` rows and columns, standardised; float32 [H, W]."""
    margin = 4
    noise = rng.standard_normal((shape[0] + 2 * margin, shape[1] + 2 * margin), dtype=np.float32)
    field = ndimage.gaussian_filter(noise, sigma, truncate=3.0)[margin:-margin, margin:-margin]
    return standardise(field)


def standardise(field: FloatArray) -> FloatArray:
    """Shift and scale a field to mean 0 and standard deviation 1; a constant field becomes 0."""
    deviation = float(field.std())
    result: FloatArray = ((field - field.mean()) / (deviation if deviation > 0 else 1.0)).astype(np.float32)
    return result


def coordinates(shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return row and column coordinates of every pixel, float32 [H, W] each."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return rows, columns


def parcels(
    rng: np.random.Generator, shape: tuple[int, int], width: float, length: float, angle: float, bend: float
) -> tuple[IntArray, FloatArray]:
    """Divide the frame into field parcels: strips of random width, cut at random positions.

    Args:
        rng: Generator.
        shape: Rows and columns.
        width: Mean strip width in pixels.
        length: Mean parcel length along the strip in pixels.
        angle: Direction of the strips in radians.
        bend: Amplitude of bends in the borders, in pixels.

    Returns:
        Parcel number, int64 [H, W] from 0 to 4095 (neighbours almost always differ), and the distance to the nearest
        parcel border in pixels, float32 [H, W].
    """
    rows, columns = coordinates(shape)
    cos, sin = np.cos(angle), np.sin(angle)
    wander = gaussian_field(rng, shape, 40.0, 4.0) * bend
    across = cos * columns + sin * rows + wander
    along = cos * rows - sin * columns
    span = float(np.hypot(*shape)) + 4 * bend + 2 * width
    edges = np.cumsum(rng.uniform(0.5, 1.5, int(2 * span / width) + 4) * width) - span
    strip = np.searchsorted(edges, across)
    strip = np.clip(strip, 1, len(edges) - 1)
    side = np.minimum(across - edges[strip - 1], edges[strip] - across)
    offset = rng.uniform(0, length, len(edges) + 1)[strip]
    stretch = (rng.uniform(0.6, 1.7, len(edges) + 1) * length)[strip]
    position = (along + offset) / stretch
    cell = np.floor(position)
    end = np.minimum(position - cell, 1 - position + cell) * stretch
    number = (strip * 7919 + cell.astype(np.int64) * 104729 + 4096 * 500) % 4096
    return number, np.minimum(np.abs(side), end).astype(np.float32)


def curve_distance(rng: np.random.Generator, shape: tuple[int, int], meander: float, wavelength: float) -> FloatArray:
    """Return the distance in pixels, float32 [H, W], to a meandering line across the frame.

    Args:
        rng: Generator.
        shape: Rows and columns.
        meander: Amplitude in pixels; 0 gives a straight line.
        wavelength: Length of a bend in pixels.
    """
    rows, columns = coordinates(shape)
    angle = rng.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    reach = float(np.hypot(*shape))
    along = cos * (columns - shape[1] / 2) + sin * (rows - shape[0] / 2)
    across = -sin * (columns - shape[1] / 2) + cos * (rows - shape[0] / 2)
    across = across - rng.uniform(-0.4, 0.4) * min(shape)
    # Bends of random size and spacing: a spline through random knots, two to three per wavelength.
    knots = np.arange(-reach, reach + wavelength, wavelength / 2.5)
    knots = knots + rng.uniform(-0.3, 0.3, len(knots)) * wavelength / 2.5
    bends = CubicSpline(knots, rng.normal(0, meander, len(knots)))
    steps = np.arange(-reach, reach, 0.5)
    path = np.interp(along, steps, bends(steps))
    slope = np.interp(along, steps, bends(steps, 1))
    result: FloatArray = (np.abs(across - path) / np.sqrt(1 + slope**2)).astype(np.float32)
    return result
