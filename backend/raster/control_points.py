"""Warp rasters that have only ground control points to a regular grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT

from backend.core.errors import InputError
from backend.raster.errors import RASTER_ERRORS
from backend.raster.opening import open_raster
from backend.raster.virtual import across_antimeridian

# This many points come from a product and follow the terrain: GDAL's second-order polynomial misses them by 108 m
# (root mean square) in a real scene of hills, a thin-plate spline passes through all. Fewer may be set by hand.
MANY_POINTS = 60


def on_a_grid(file: Any) -> tuple[Any, Any, list[tuple[str, str]]]:
    """Return the bands of a raster on a regular grid; warp them if it has only ground control points.

    Args:
        file: Opened rasterio dataset; closed if another replaces it.

    Returns:
        The dataset to close at the end, the dataset with the grid, and (level, message) pairs for the log.

    Raises:
        InputError: The points give no grid.
    """
    if file.gcps[0] and file.transform == Affine.identity():
        file, warped = _warped(file)
        note = (
            f"The raster has only ground control points ({len(file.gcps[0])}); it is warped to a grid in "
            f"{warped.crs}, {warped.width} x {warped.height} pixels, which the output has too."
        )
        return file, warped, [("info", note)]
    if file.crs is None or file.transform == Affine.identity():
        note = "The raster has no coordinate system; its pixel size is assumed to be the model's."
        return file, file, [("warning", note)]
    return file, file, []


def _warped(file: Any) -> tuple[Any, Any]:
    points, crs = file.gcps
    if crs is not None and crs.is_geographic and np.ptp([point.x for point in points]) > 180:
        with file:
            text = across_antimeridian(file)
        file = open_raster(text)
    options: dict[str, Any] = {"SRC_METHOD": "GCP_TPS"} if len(points) >= MANY_POINTS else {}
    if file.nodata is not None:
        options["nodata"] = file.nodata
    elif ColorInterp.alpha not in file.colorinterp:
        options["add_alpha"] = True
    try:
        # Nearest neighbour: values in dB must not be averaged.
        warped = WarpedVRT(file, src_crs=crs, crs=crs, resampling=Resampling.nearest, warp_mem_limit=64, **options)
    except RASTER_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{file.name} can't be put on a grid by its ground control points: {reason}.",
            "Warp it first (in QGIS: Raster > Projections > Warp), then run again.",
        ) from error
    return file, warped
