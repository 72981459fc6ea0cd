"""Give out the polygons of patches as soon as their outlines are complete, strip by strip."""

from __future__ import annotations

import numpy as np

from backend.core.arrays import IntArray
from backend.raster.grid import Grid
from backend.vectors.corners import CornerMap
from backend.vectors.labelling import Labels
from backend.vectors.patches import Patches
from backend.vectors.rings import Polygon, Rings, polygons
from backend.vectors.simplify import Simplifier
from backend.vectors.tracer import Tracer


class Outlines:
    """Turn strips of patches into polygons.

    Args:
        grid: The map's.
        patches: All patches of the map.
        tolerance: Metres of the simplification; 0 for none.
    """

    def __init__(self, grid: Grid, patches: Patches, tolerance: float) -> None:
        self._grid = grid
        self._tracer = Tracer(grid.width, nodes=tolerance > 0)
        self._rings: dict[int, list[IntArray]] = {}
        self._strip = 0
        # Patches in the order of the strips in which they end.
        self._ends = np.argsort(patches.last[1:], kind="stable") + 1
        self._last = patches.last[self._ends]
        self._simplifier = None
        if tolerance > 0:
            sides = grid.pixel_metres() or (1.0, 1.0)
            corners = CornerMap(grid.height, grid.width)
            self._simplifier = Simplifier(grid.width, tolerance, sides, corners)

    def add(self, labels: Labels, top: int) -> list[Polygon]:
        """Take the next strip, [rows, width], and return the polygons that are complete."""
        last = top + labels.shape[0] == self._grid.height
        closed, lattice = self._tracer.add(labels, top, last)
        if self._simplifier is not None:
            self._simplifier.corners.add(top, lattice.turns())
        for patch, outline in closed:
            self._rings.setdefault(patch, []).append(outline)
        # The lower edge of a patch that ends with a strip is traced with the next one.
        until = np.searchsorted(self._last, self._strip, side="right" if last else "left")
        ready, self._ends, self._last = self._ends[:until], self._ends[until:], self._last[until:]
        self._strip += 1
        return self._complete(np.sort(ready).tolist())

    def _complete(self, ready: list[int]) -> list[Polygon]:
        outlines, owners = [], []
        for patch in ready:
            found = self._rings.pop(patch)
            outlines += found
            owners += [patch] * len(found)
        if not outlines:
            return []
        rings = Rings.join(outlines, self._grid.width).straightened()
        areas = rings.areas()
        if self._simplifier is not None:
            rings = self._simplifier.rings(rings)
        return polygons(owners, areas, rings, self._grid.transform)
