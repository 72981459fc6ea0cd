"""Choose the grid of a composite: that of the first raster, extended to all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rasterio.warp import transform

from backend.core.errors import InputError
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import Grid

EDGE = 21  # points along each edge of a raster whose outline is transformed
SNAP = 1e-2  # fraction of a pixel that is rounding


def common_grid(grids: Sequence[Grid], names: Sequence[str]) -> Grid:
    """Return a grid with the pixels of the first that holds all.

    Args:
        grids: Grids of the rasters.
        names: Theirs, for messages.

    Raises:
        InputError: One doesn't overlap the first.
    """
    first = grids[0]
    top, left, bottom, right = 0, 0, first.height, first.width
    for grid, name in zip(grids, names):
        outline = _outline(grid, first)
        if outline is None or not (outline[0] < first.height and outline[1] < first.width and min(outline[2:]) > 0):
            raise InputError(
                f"{name} doesn't overlap {names[0]}: they are of different places.", "Give rasters of one place."
            )
        top, left = min(top, outline[0]), min(left, outline[1])
        bottom, right = max(bottom, outline[2]), max(right, outline[3])
    return first.offset(top, left, bottom - top, right - left)


def _outline(grid: Grid, first: Grid) -> tuple[int, int, int, int] | None:
    """Return top, left, bottom and right in pixels of the first grid that hold another; None if it has no place."""
    steps = np.linspace(0, 1, EDGE)
    columns, rows = (np.concatenate(each) for each in zip(*(
        (steps, 0 * steps), (steps, 0 * steps + 1), (0 * steps, steps), (0 * steps + 1, steps),
    )))  # fmt: skip
    xs, ys = grid.transform * (columns * grid.width, rows * grid.height)
    if grid.crs != first.crs:
        if grid.crs is None or first.crs is None:
            return 0, 0, first.height, first.width  # `PlacedSource` refuses what it can't place
        try:
            xs, ys = (np.array(each) for each in transform(grid.crs, first.crs, xs, ys))
        except RASTER_ERRORS:
            return None
    across, down = ~first.transform * (xs, ys)
    if not (np.isfinite(across).all() and np.isfinite(down).all()):
        return None
    low = math.floor(down.min() + SNAP), math.floor(across.min() + SNAP)
    return *low, math.ceil(down.max() - SNAP), math.ceil(across.max() - SNAP)
