"""Locate map pixels in an image with the heights of an elevation model.

The image position of a point is a smooth function of its coordinates and its height; only the height is rough. So the
position is computed exactly at the nodes of a patch for three heights, and interpolated linearly in the coordinates and
quadratically in the height. The error is below a hundredth of a sample.
"""

from __future__ import annotations

import numpy as np
from rasterio.crs import CRS
from scipy.ndimage import map_coordinates

from backend.core.arrays import DoubleArray
from backend.grd.ground_control import Positions, transformed
from backend.grd.patch import Located, Patch
from backend.grd.terrain.elevation import Elevation, Heights
from backend.grd.terrain.geoid import undulation
from backend.grd.terrain.range_doppler import RangeDoppler
from backend.raster.grid import DEGREES

# Half the smallest height range, in metres, over which positions are interpolated.
LEAST = 50.0
# Samples by which the conversion to ground range may differ between lines without notice.
NO_JUMP = 1e-3


class Terrain:
    """Hold imaging geometry and terrain heights.

    Args:
        geometry: Imaging geometry.
        elevation: Elevation model.
        geoid: Whether heights refer to the geoid; otherwise to the ellipsoid.

    Attributes:
        heights: Lowest and highest height in metres that `span` found last.
    """

    def __init__(self, geometry: RangeDoppler, elevation: Elevation, geoid: bool) -> None:
        self.geometry, self.elevation, self._geoid = geometry, elevation, geoid
        self.heights = (0.0, 0.0)

    def span(self, crs: CRS, outline: Positions) -> tuple[float, float]:
        """Return the lowest and the highest height in metres inside an outline [n, 2] on the map.

        Raises:
            InputError: The elevation model has no heights there, or impossible ones.
        """
        self.heights = self.elevation.span(self.elevation.window(self.elevation.pixels(crs, outline)))
        return self.heights

    @property
    def level(self) -> float:
        """Return the height in metres that stands for an unknown one: 0, or the nearest to it in the model."""
        return min(max(0.0, self.heights[0]), self.heights[1])

    def positions(self, crs: CRS, points: Positions, height: float) -> Positions:
        """Return samples and lines [n, 2] of map points [n, 2] at a height in metres."""
        return self.geometry.positions(*self.places(crs, points, height))

    def places(self, crs: CRS, points: Positions, height: float) -> tuple[Positions, DoubleArray]:
        """Return longitude and latitude [n, 2] of map points [n, 2] at a height, and heights above the ellipsoid."""
        degrees = transformed(crs, DEGREES, points)
        heights = np.full(len(degrees), height)
        if self._geoid:
            heights += undulation(degrees)
        return degrees, heights

    def missing_share(self, crs: CRS, points: Positions) -> float:
        """Return the share of map points [n, 2] without a height."""
        pixels = self.elevation.pixels(crs, points)
        rows, columns = self.elevation.shape
        inside = ((pixels >= 0) & (pixels < (columns, rows))).all(axis=1)
        there = [self.elevation.read(int(y), int(x), int(y) + 1, int(x) + 1)[0, 0] for x, y in pixels[inside]]
        return 1 - float(np.isfinite(there).sum()) / len(points)

    def locate(self, patch: Patch, corner: Positions) -> Located:
        """Locate the pixels of a patch; samples and lines count from a corner [2] of the image."""
        points, crs = patch.coordinates(), patch.grid.crs
        pixels = self.elevation.pixels(crs, points)
        window = self.elevation.window(pixels)
        top, left, bottom, right = window
        heights = self.elevation.read(*window) if top < bottom and left < right else np.empty((0, 0), np.float32)
        if not np.isfinite(heights).any():
            return _NoHeights(patch.size)
        low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
        middle, half = (low + high) / 2, max((high - low) / 2, LEAST)
        below, at, above = (
            self.geometry.smooth_positions(*self.places(crs, points, middle + share * half)).reshape(*patch.shape, 2)
            for share in (-1, 0, 1)
        )
        nodes = (pixels - (left, top) - 0.5).reshape(*patch.shape, 2)
        scaled = (heights - np.float32(middle)) / np.float32(half)
        return _Relief(patch, scaled, nodes, (below, at, above), _Blocks(self.geometry, corner))


class _Relief:
    """Compute image positions of a patch with heights, which are scaled to -1 to 1.

    Args:
        patch: Pixels to locate.
        heights: Part of the elevation model, float32 [rows, columns]; NaN is nodata.
        nodes: Column and row in `heights` at the nodes of the patch, [n, m, 2].
        images: Smooth sample and line in the whole image at the nodes for heights of -1, 0 and 1, [n, m, 2] each.
        blocks: Completes smooth positions.
    """

    def __init__(
        self, patch: Patch, heights: Heights, nodes: Positions, images: tuple[Positions, ...], blocks: _Blocks
    ) -> None:
        below, at, above = images
        self._patch, self._heights, self._nodes = patch, heights, nodes
        self._terms = at, (above - below) / 2, (above + below) / 2 - at
        ends = np.stack((below, above))
        self._blocks = blocks
        self.low, self.high = blocks.bounds(ends.min(axis=(0, 1, 2)), ends.max(axis=(0, 1, 2)))
        rows, columns = heights.shape
        beyond = (nodes < -0.5).any() or (nodes > (columns - 0.5, rows - 0.5)).any()
        self.holes = bool(beyond or np.isnan(heights).any())

    def at(self, dy: float, dx: float) -> Positions:
        column, row = (self._patch.interpolate(self._nodes[..., axis], dy, dx) for axis in (0, 1))
        height = map_coordinates(self._heights, (row, column), order=1, mode="nearest", output=np.float64)
        if self.holes:
            rows, columns = self._heights.shape
            beyond = (row < -0.5) | (row > rows - 0.5) | (column < -0.5) | (column > columns - 0.5)
            height[beyond] = np.nan
        return self._blocks.complete(*(self._position(axis, height, dy, dx) for axis in (0, 1)))

    def _position(self, axis: int, height: Positions, dy: float, dx: float) -> Positions:
        fixed, linear, square = (self._patch.interpolate(term[..., axis], dy, dx) for term in self._terms)
        found: Positions = fixed + height * (linear + height * square)
        return found


class _Blocks:
    """Complete smooth positions in an image by the shift of each block of lines, and refer them to its part.

    Args:
        geometry: Imaging geometry.
        corner: First sample and line of the part, [2].
    """

    def __init__(self, geometry: RangeDoppler, corner: Positions) -> None:
        self._geometry, self._corner = geometry, corner

    def bounds(self, low: Positions, high: Positions) -> tuple[Positions, Positions]:
        """Return the least and the greatest sample and line of smooth positions in the part, [2] each."""
        margin = np.array([self._geometry.jump, 0])
        return low - margin - self._corner, high + margin - self._corner

    def complete(self, samples: Positions, lines: Positions) -> Positions:
        """Return samples and lines in the part, [2, rows, columns]."""
        if self._geometry.jump > NO_JUMP:
            shift = self._geometry.block_shift(samples.ravel(), lines.ravel())
            samples = samples + shift.reshape(samples.shape)
        return np.stack((samples - self._corner[0], lines - self._corner[1]))


class _NoHeights:
    """Hold a patch without heights."""

    holes = True

    def __init__(self, size: tuple[int, int]) -> None:
        self.low, self.high = np.full(2, np.inf), np.full(2, -np.inf)
        self._size = size

    def at(self, dy: float, dx: float) -> Positions:
        return np.full((2, *self._size), np.nan)
