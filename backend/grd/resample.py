"""Resample an image to a map grid, in linear power.

GDAL could do it, but departs from the spline by up to an eighth of a sample (which rasterio doesn't let one change)
and widens its kernel by the shape of each piece: in an image that slants on the map, both blur speckle and make it
depend on where a piece begins.
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

# Pixels of a piece.
ROWS, COLUMNS = 256, 1024
# The smallest power, -50 dB: far below what the sensor can tell from nothing (about -22 dB), but a power.
FLOOR = np.float32(1e-5)
# Share of measured samples below which a pixel has no value.
LEAST = 0.5


def warp(path: Path, plan: MapPlan) -> Iterator[FloatArray]:
    """The rows of the map, from top to bottom: linear power float32 [bands, rows, width], at least FLOOR; NaN outside.

    Bilinear where a pixel is about as large as a sample; where it is larger, the mean over as many places inside it as
    it has samples.

    Args:
        path: Raster of power in the geometry of the plan's part of the image, tiled, NaN where there is no value.
        plan: Of the map.
    """
    with rasterio.open(path) as image:
        for top in range(0, plan.grid.height, ROWS):
            height = min(ROWS, plan.grid.height - top)
            columns = max(STEP, COLUMNS // plan.places[0])
            lefts = range(0, plan.grid.width, columns)
            patches = [Patch(plan.grid, top, left, (height, min(columns, plan.grid.width - left))) for left in lefts]
            yield np.concatenate([_piece(image, plan, patch) for patch in patches], axis=2)


def _piece(image: Any, plan: MapPlan, patch: Patch) -> FloatArray:
    """Some pixels of the map, float32 [bands, height, width]."""
    located = plan.locate(patch)
    low = np.maximum(np.floor(np.maximum(located.low - 2, 0)), 0)
    high = np.minimum(np.ceil(located.high + 2), (image.width, image.height))
    if (low >= high).any():
        return np.full((image.count, *patch.size), np.nan, dtype=np.float32)
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    window = Window(int(left), int(top), int(right - left), int(bottom - top))
    power: FloatArray = image.read(window=window)
    across, down = ((np.arange(count) + 0.5) / count for count in plan.places)
    # Where all is measured and nothing lies at the rim of the image, the weight needn't be sampled: nearly everywhere.
    rim = bool((low == 0).any() or (high == (image.width, image.height)).any())
    mean = _Mean(power, patch.size, rim or located.holes)
    for dy in down:
        for dx in across:
            sample, line = located.at(dy, dx)
            # From positions on the whole image to sample numbers of the window; far outside where there is no position.
            place = np.stack((line - top, sample - left)) - 0.5
            mean.add(np.where(np.isnan(place), -9, place) if located.holes else place)
    return mean.result(LEAST * len(across) * len(down))


class _Mean:
    """Mean of bilinear samples of what is measured.

    Args:
        power: float32 [bands, h, w]; NaN where nothing is measured.
        size: Rows and columns of the result.
        rim: Whether places may lie outside.
    """

    def __init__(self, power: FloatArray, size: tuple[int, int], rim: bool) -> None:
        there = np.isfinite(power)
        self._everywhere = not rim and bool(there.all())
        self._filled, self._measured = np.where(there, power, np.float32(0)), there.astype(np.float32)
        self._total = np.zeros((len(power), *size), dtype=np.float32)
        self._weight = np.zeros_like(self._total)

    def add(self, place: Positions) -> None:
        """Take a sample for each pixel: row and column, shape [2, rows, columns]."""
        for band in range(len(self._total)):
            self._total[band] += _sample(self._filled[band], place)
            self._weight[band] += np.float32(1) if self._everywhere else _sample(self._measured[band], place)

    def result(self, least: float) -> FloatArray:
        """float32 [bands, rows, columns], at least FLOOR; NaN where less than `least` samples are measured."""
        enough = self._weight >= least
        mean = self._total / np.where(enough, self._weight, np.float32(1))
        values: FloatArray = np.where(enough, np.maximum(mean, FLOOR), np.float32(np.nan))
        return values


def _sample(values: FloatArray, place: Positions) -> FloatArray:
    """Bilinear samples of [h, w] at rows and columns [2, rows, columns]; 0 beyond: neither power nor weight."""
    found: FloatArray = map_coordinates(
        values, place, order=1, mode="grid-constant", output=np.float32, prefilter=False
    )
    return found
