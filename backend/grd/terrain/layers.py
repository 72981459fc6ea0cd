"""Make the layers of a map that tell how the terrain is seen: local incidence angle, layover and shadow.

Their names and meaning are those of the CEOS-ARD product family specification for normalised radar backscatter.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from backend.card.colours import rgb
from backend.card.model_card import LandCoverClass
from backend.core.arrays import FloatArray
from backend.grd.map_plan import MapPlan
from backend.grd.patch import STEP, Patch
from backend.grd.terrain.facets import Facets
from backend.grd.terrain.lattice import LAYOVER, SHADOWED, UNKNOWN, Lattice
from backend.grd.terrain.relief import Terrain
from backend.output.sink import Layer
from backend.output.styles import legend_tags

Mask = NDArray[np.uint8]
COLUMNS = 1024
# Lines by which heights may displace the ground under the first and the last line.
BESIDE = 8
CLASSES = (
    LandCoverClass(LAYOVER, "Layover", "#e66101"),
    LandCoverClass(SHADOWED, "Shadow", "#5e3c99"),
    LandCoverClass(LAYOVER + SHADOWED, "Layover and shadow", "#1b1b1b"),
)
INCIDENCE_LAYER = Layer("float32", math.nan, ["local_incidence_angle"])
MASK_LAYER = Layer(
    "uint8", UNKNOWN, ["layover_shadow_mask"], {item.value: rgb(item.color) for item in CLASSES}, legend_tags(CLASSES)
)


def incidence(plan: MapPlan, terrain: Terrain, top: int, height: int) -> FloatArray:
    """Return the angle between the line of sight and the slope's normal in degrees, float32 [height, columns].

    Above 90 degrees a slope faces away from the radar. NaN outside the image, and where there are no heights.
    """
    return np.concatenate([_angles(plan, terrain, patch) for patch in _patches(plan, top, height)], axis=1)


def _angles(plan: MapPlan, terrain: Terrain, patch: Patch) -> FloatArray:
    rows, columns = (
        np.arange(max(3, math.ceil(size / STEP) + 1)) * float(STEP) + first
        for size, first in zip(patch.size, (patch.top, patch.left))
    )
    across, down = np.meshgrid(columns, rows)
    nodes = np.stack(plan.grid.transform * (across, down), axis=2)
    facets = Facets(terrain, plan.grid.crs, nodes, STEP, patch.size)
    share = np.clip(facets.projected() / facets.area(), -1, 1)
    sample, line = facets.middles("sample") - plan.left, facets.middles("line") - plan.top
    inside = (sample >= 0) & (sample <= plan.width) & (line >= 0) & (line <= plan.height)
    angles: FloatArray = np.where(inside & facets.known, np.degrees(np.arccos(share)), np.nan).astype(np.float32)
    return angles


class MaskOfMap:
    """Look up layover and shadow for the pixels of a map.

    Args:
        path: File of the mask in the geometry of the lattice.
        lattice: That geometry.
        plan: The map's plan.
    """

    def __init__(self, path: Path, lattice: Lattice, plan: MapPlan) -> None:
        self._path, self._lattice, self._plan = path, lattice, plan

    def rows(self, top: int, height: int) -> Mask:
        """Return the mask of rows, uint8 [height, columns]."""
        with rasterio.open(self._path) as file:
            return np.concatenate([self._piece(file, patch) for patch in _patches(self._plan, top, height)], axis=1)

    def _piece(self, file: rasterio.DatasetReader, patch: Patch) -> Mask:
        plan, lattice = self._plan, self._lattice
        image = lattice.positions(patch.coordinates()).reshape(*patch.shape, 2)
        column, row = (
            np.floor(patch.interpolate(image[..., axis], 0.5, 0.5) - first).astype(np.int64)
            for axis, first in ((0, lattice.left), (1, plan.top))
        )
        inside = (column >= 0) & (column < file.width) & (row >= -BESIDE) & (row < file.height + BESIDE)
        found: Mask = np.full(patch.size, UNKNOWN, dtype=np.uint8)
        if inside.any():
            rows, columns = np.clip(row[inside], 0, file.height - 1), column[inside]
            corner, size = (rows.min(), columns.min()), (np.ptp(rows) + 1, np.ptp(columns) + 1)
            part = file.read(1, window=Window(int(corner[1]), int(corner[0]), int(size[1]), int(size[0])))
            found[inside] = part[rows - corner[0], columns - corner[1]]
        return found


def _patches(plan: MapPlan, top: int, height: int) -> list[Patch]:
    lefts = range(0, plan.grid.width, COLUMNS)
    return [Patch(plan.grid, top, left, (height, min(COLUMNS, plan.grid.width - left))) for left in lefts]
