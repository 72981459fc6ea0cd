"""Resample an image to a map grid, in linear power.

GDAL could do it, but departs from the spline by up to an eighth of a sample (which rasterio doesn't let one change)
and widens its kernel by the shape of each piece: in an image that slants on the map, both blur speckle and make it
depend on where a piece begins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy.ndimage import map_coordinates

from backend.grd.geocode import MapPlan
from backend.grd.positions import Positions

FloatArray = NDArray[np.float32]
# Pixels of a piece, and between the places at which the spline is evaluated: 32 pixels of 10 m over a scene of strong
# relief bring an error of 0.01 sample.
ROWS, COLUMNS, STEP = 256, 1024, 32
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
            columns = max(STEP, COLUMNS // _places(plan))
            lefts = range(0, plan.grid.width, columns)
            sizes = [(height, min(columns, plan.grid.width - left)) for left in lefts]
            yield np.concatenate([_piece(image, plan, top, left, size) for left, size in zip(lefts, sizes)], axis=2)


def _places(plan: MapPlan) -> int:
    """Places along a side of a pixel."""
    return max(1, round(plan.samples))


def _piece(image: Any, plan: MapPlan, top: int, left: int, size: tuple[int, int]) -> FloatArray:
    """Some pixels of the map, float32 [bands, height, width]."""
    nodes, down, across = _nodes(plan, top, left, size)
    low = np.maximum(np.floor(nodes.min(axis=(0, 1)) - 2), 0).astype(int)
    high = np.minimum(np.ceil(nodes.max(axis=(0, 1)) + 2), (image.width, image.height)).astype(int)
    if (low >= high).any():
        return np.full((image.count, *size), np.nan, dtype=np.float32)
    window = Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    power: FloatArray = image.read(window=window)
    # From positions on the whole image to sample numbers of the window.
    nodes = nodes - low - 0.5
    offsets = (np.arange(_places(plan)) + 0.5) / _places(plan)
    # Where all is measured and nothing lies at the rim of the image, the weight needn't be sampled: nearly everywhere.
    rim = (low == 0).any() or (high == (image.width, image.height)).any()
    mean = _Mean(power, size, rim)
    for dy in offsets:
        for dx in offsets:
            mean.add(np.stack([_between(nodes[..., axis], down, across, dy, dx, size) for axis in (1, 0)]))
    return mean.result(LEAST * len(offsets) ** 2)


def _nodes(plan: MapPlan, top: int, left: int, size: tuple[int, int]) -> tuple[Positions, Positions, Positions]:
    """Image positions [n, m, 2] at the corners of squares of STEP pixels, and the rows [n] and columns [m] of these."""
    down, across = (np.arange(math.ceil(length / STEP) + 1, dtype=np.float64) * STEP for length in size)
    columns, rows = np.meshgrid(across + left, down + top)
    x, y = plan.grid.transform * (columns.ravel(), rows.ravel())
    positions = plan.to_image(np.stack((x, y), axis=1))
    return positions.reshape(len(down), len(across), 2), down, across


def _between(
    nodes: Positions, down: Positions, across: Positions, dy: float, dx: float, size: tuple[int, int]
) -> Positions:
    """Linear between nodes [n, m]: at the place (dy, dx) inside every pixel, shape `size`."""
    rows, columns = _weights(down, np.arange(size[0]) + dy), _weights(across, np.arange(size[1]) + dx)
    found: Positions = rows @ nodes @ columns.T
    return found


def _weights(nodes: Positions, places: Positions) -> Positions:
    """Shares [places, nodes] of the two nodes around each place."""
    shares: Positions = np.maximum(0, 1 - np.abs(places[:, None] - nodes) / STEP)
    return shares


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
