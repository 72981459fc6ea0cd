"""Place facets on the ground under an image, a cell for each sample at a middle height, and project them into it.

A line of the lattice lies in the plane in which the radar looks; heights move its cells across, and along by little
more than a line. So the area of the ground in each sample, layover and shadow are found strip by strip.
Method: D. Small, "Flattening Gamma: Radiometric Terrain Correction for SAR Imagery", IEEE TGRS 49 (8), 2011, section
IV.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, FloatArray
from backend.grd.ground_control import Positions
from backend.grd.map_plan import MapPlan
from backend.grd.terrain.accumulate import accumulate
from backend.grd.terrain.facets import Facets
from backend.grd.terrain.relief import NO_JUMP, Terrain
from backend.grd.terrain.visibility import layover, visible

Mask = NDArray[np.uint8]
# Samples and lines between nodes; facets of a piece across; lines of a strip.
STEP, PIECE, STRIP = 64, 1024, 64
# Steps of the search for the ground under an image position; each is some ten times nearer.
STEPS = 5
# Shadows reach this many times the height of what casts them, at incidence angles up to 50 degrees.
SHADOW = 1.2
# Values of the mask.
LAYOVER, SHADOWED, UNKNOWN = 1, 2, 255
# Positions across and along at which the displacement by heights is measured.
MESH = 16


class Strip(NamedTuple):
    """Hold the results of some lines.

    Attributes:
        area: Area of the visible ground in each sample in relation to that of the sample in the slant plane, float32
            [lines, samples]: 1 / tan(incidence angle) on level ground, 0 in shadow.
        mask: Mask of the cells of the lattice, uint8 [lines, cells]: the sum of LAYOVER and SHADOWED, or UNKNOWN.
    """

    area: FloatArray
    mask: Mask


class Lattice:
    """Hold the lattice under the part of an image that a map needs.

    Args:
        terrain: Geometry and heights.
        plan: The map's plan.

    Attributes:
        left: Sample of the whole image at which the lattice begins.
        width: Cells across.
        level: Height in metres at which its cells are the samples.
    """

    def __init__(self, terrain: Terrain, plan: MapPlan) -> None:
        self._terrain, self._plan = terrain, plan
        low, high = terrain.heights
        self.level = (low + high) / 2
        across, along = self._displacement(low, high)
        reach = math.ceil(across + terrain.geometry.jump) + 2
        spacing = terrain.geometry.spacing
        self.left = plan.left - reach - math.ceil(SHADOW * (high - low) / spacing)
        self.width = plan.left + plan.width + reach - self.left
        self._margin = math.ceil(along) + 2

    def _displacement(self, low: float, high: float) -> tuple[float, float]:
        """Return the samples and lines by which ground between two heights is displaced at most."""
        plan, shares = self._plan, np.linspace(0, 1, MESH)
        across, along = np.meshgrid(plan.left + shares * plan.width, plan.top + shares * plan.height)
        targets = np.stack((across.ravel(), along.ravel()), axis=1)
        points = self._ground(targets)
        moved = [np.abs(self._positions(points, height) - targets).max(axis=0) for height in (low, high)]
        across_most, along_most = np.maximum(*moved)
        return float(across_most), float(along_most)

    def positions(self, points: Positions) -> Positions:
        """Return the samples and lines [n, 2] of the lattice at map coordinates [n, 2]."""
        return self._positions(points, self.level)

    def _positions(self, points: Positions, height: float) -> Positions:
        return self._terrain.geometry.smooth_positions(*self._terrain.places(self._plan.grid.crs, points, height))

    def _ground(self, image: Positions) -> Positions:
        """Return the map coordinates [n, 2] of smooth image positions [n, 2] at the level of the lattice."""
        start = points = self._plan.to_ground(image)
        for _ in range(STEPS):
            points = points + start - self._plan.to_ground(self.positions(points))
        return points

    def strip(self, top: int, bottom: int) -> Strip:
        """Return the lattice's strip for lines of the whole image, at most STRIP of them."""
        first, last, geometry = top - self._margin, bottom + self._margin, self._terrain.geometry
        pieces = [self._piece(first, last, left) for left in range(0, self.width, PIECE)]
        joined = [np.concatenate([piece[n] for piece in pieces], axis=1) for n in range(5)]
        # The last point of a piece is the first one of the next.
        sample, line, angle = (_mean_of_rows(_without_joints(values, len(pieces))) for values in joined[:3])
        area, known = joined[3], joined[4]
        if geometry.jump > NO_JUMP:
            sample = sample + geometry.block_shift(sample.ravel(), line.ravel()).reshape(sample.shape)
        shown = visible(angle) & (area > 0)
        mask = np.where(layover(sample), LAYOVER, 0) + np.where(shown, 0, SHADOWED)
        mask[~known.astype(bool)] = UNKNOWN
        core = slice(self._margin, self._margin + bottom - top)
        middles = (line[:, :-1] + line[:, 1:]) / 2 - 0.5 - top
        ends = [side.ravel() - self._plan.left for side in (sample[:, :-1], sample[:, 1:])]
        weights = np.where(shown, area, 0).ravel()
        total = accumulate(weights, (ends[0], ends[1]), middles.ravel(), (bottom - top, self._plan.width))
        return Strip(total.astype(np.float32), mask[core].astype(np.uint8))

    def _piece(self, first: int, last: int, left: int) -> tuple[DoubleArray, ...]:
        """Return samples, lines and angles of points [rows + 1, n + 1], areas and whether they are known [rows, n]."""
        size = last - first, min(PIECE, self.width - left)
        down, across = (np.arange(max(3, math.ceil(length / STEP) + 1)) * float(STEP) for length in size)
        lines, samples = np.meshgrid(down + first, across + left + self.left, indexing="ij")
        nodes = self._ground(np.stack((samples.ravel(), lines.ravel()), axis=1)).reshape(*lines.shape, 2)
        facets = Facets(self._terrain, self._plan.grid.crs, nodes, STEP, size)
        area = facets.projected() / facets.middles("beta")
        known = facets.known.astype(np.float64)
        return (*(facets.points(name) for name in ("sample", "line", "angle")), area, known)


def _without_joints(values: DoubleArray, pieces: int) -> DoubleArray:
    """Drop the last point of each piece but the last one."""
    joints = (np.arange(1, pieces)) * (PIECE + 1) - 1
    found: DoubleArray = np.delete(values, joints, axis=1)
    return found


def _mean_of_rows(points: DoubleArray) -> DoubleArray:
    found: DoubleArray = (points[:-1] + points[1:]) / 2
    return found
