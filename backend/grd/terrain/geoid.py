"""Look up the height of the geoid EGM96 above the ellipsoid.

Elevation models count heights from the geoid; orbits refer to the ellipsoid.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import rasterio
from scipy.ndimage import map_coordinates

from backend.card.registry import resources
from backend.core.arrays import DoubleArray
from backend.grd.ground_control import Positions


def undulation(degrees: Positions) -> DoubleArray:
    """Return the height of the geoid above the WGS 84 ellipsoid in metres, [n], at longitude and latitude [n, 2]."""
    values, step = _grid()
    columns, rows = ((degrees[:, 0] + 180) % 360) / step, (90 - degrees[:, 1]) / step
    found: DoubleArray = map_coordinates(values, (rows, columns), order=1, mode="nearest")
    return found


@lru_cache(maxsize=1)
def _grid() -> tuple[DoubleArray, float]:
    """Read the grid: metres [rows, columns] from 90° N, 180° W on, and the degrees between neighbours."""
    with rasterio.open(resources() / "geoid" / "egm96.tif", driver="GTiff") as file:
        metres = file.read(1) * np.float64(file.scales[0])
        # The meridian of 180° is the first column; it is repeated as the last.
        return np.concatenate((metres, metres[:, :1]), axis=1), file.transform.a
