"""Resample an image to a map grid, in linear power.

GDAL isn't used: it approximates the spline with an error of up to an eighth of a sample, which rasterio can't change,
and adapts its kernel to the shape of each piece. In an image that is rotated on the map, both blur speckle by an amount
that depends on where a piece begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.ndimage import map_coordinates

from backend.core.arrays import FloatArray
from backend.grd.ground_control import Positions
from backend.grd.map_plan import MapPlan
from backend.grd.patch import STEP, Patch

# Rows and columns of a piece.
ROWS, COLUMNS = 256, 1024
# Smallest power, -50 dB; the noise floor of the sensor is about -22 dB.
FLOOR = np.float32(1e-5)
# Share of valid samples below which a pixel is nodata.
LEAST = 0.5


def warp(path: Path, plan: MapPlan) -> Iterator[FloatArray]:
    """Yield the rows of the map: linear power float32 [bands, rows, width], FLOOR or more; NaN is nodata.

    Sampling is bilinear. A pixel larger than a sample is the mean over as many points inside it as it has samples.

    Args:
        path: Tiled raster of power in the geometry of the plan's part of the image; NaN is nodata.
        plan: Map plan.
    """
    with rasterio.open(path) as image:
        for top in range(0, plan.grid.height, ROWS):
            height = min(ROWS, plan.grid.height - top)
            columns = max(STEP, COLUMNS // plan.subsamples[0])
            lefts = range(0, plan.grid.width, columns)
            patches = [Patch(plan.grid, top, left, (height, min(columns, plan.grid.width - left))) for left in lefts]
            yield np.concatenate([_piece(image, plan, patch) for patch in patches], axis=2)


def _piece(image: Any, plan: MapPlan, patch: Patch) -> FloatArray:
    """Resample the pixels of a patch, float32 [bands, height, width]."""
    located = plan.locate(patch)
    low = np.maximum(np.floor(np.maximum(located.low - 2, 0)), 0)
    high = np.minimum(np.ceil(located.high + 2), (image.width, image.height))
    if (low >= high).any():
        return np.full((image.count, *patch.size), np.nan, dtype=np.float32)
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    window = Window(int(left), int(top), int(right - left), int(bottom - top))
    power: FloatArray = image.read(window=window)
    across, down = ((np.arange(count) + 0.5) / count for count in plan.subsamples)
    # Without nodata and image border nearby, the case nearly everywhere, the weight is 1 and needn't be sampled.
    border = bool((low == 0).any() or (high == (image.width, image.height)).any())
    mean = _Mean(power, patch.size, border or located.holes)
    for dy in down:
        for dx in across:
            sample, line = located.at(dy, dx)
            # Relative to the window; pixels without a position are put outside it.
            at = np.stack((line - top, sample - left)) - 0.5
            mean.add(np.where(np.isnan(at), -9, at) if located.holes else at)
    return mean.result(LEAST * len(across) * len(down))


class _Mean:
    """Average bilinear samples of valid power.

    Args:
        power: float32 [bands, h, w]; NaN is nodata.
        size: Rows and columns of the result.
        border: Whether samples may lie outside.
    """

    def __init__(self, power: FloatArray, size: tuple[int, int], border: bool) -> None:
        valid = np.isfinite(power)
        self._everywhere = not border and bool(valid.all())
        self._filled, self._measured = np.where(valid, power, np.float32(0)), valid.astype(np.float32)
        self._total = np.zeros((len(power), *size), dtype=np.float32)
        self._weight = np.zeros_like(self._total)

    def add(self, at: Positions) -> None:
        """Add a sample for each pixel, at rows and columns [2, rows, columns] of the power."""
        for band in range(len(self._total)):
            self._total[band] += _sample(self._filled[band], at)
            self._weight[band] += np.float32(1) if self._everywhere else _sample(self._measured[band], at)

    def result(self, least: float) -> FloatArray:
        """Return the mean, float32 [bands, rows, columns], FLOOR or more; NaN for fewer than `least` valid samples."""
        enough = self._weight >= least
        mean = self._total / np.where(enough, self._weight, np.float32(1))
        values: FloatArray = np.where(enough, np.maximum(mean, FLOOR), np.float32(np.nan))
        return values


def _sample(values: FloatArray, at: Positions) -> FloatArray:
    """Sample [h, w] bilinearly at rows and columns [2, rows, columns]; 0 outside, which adds no power or weight."""
    found: FloatArray = map_coordinates(values, at, order=1, mode="grid-constant", output=np.float32, prefilter=False)
    return found
