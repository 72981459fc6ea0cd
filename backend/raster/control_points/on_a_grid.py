"""Warp rasters that have only ground control points to a regular grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT

from backend.core.errors import InputError
from backend.raster.control_points.tie_points import DEGREES, all_points, spread, thinned
from backend.raster.errors import RASTER_ERRORS
from backend.raster.opening import open_raster
from backend.raster.virtual import with_points

# This many points come from a product and follow the terrain: GDAL's second-order polynomial misses them by 108 m
# (root mean square) in a real scene of hills, a thin-plate spline passes through all. Fewer may be set by hand.
MANY_POINTS = 60
# Radar geometry is curved. Between the corners of 250 km it is 655 m off a plane, of 30 km 9 m: less than a pixel.
WIDE = 30_000.0
# Points of a wide scene may lie this far apart; a spline bends between them.
APART = 60_000.0
# Fewer give a plane only.
CURVED = 6
HINT = (
    "Terrain-correct the scene first (in SNAP: Radar > Geometric > Range-Doppler Terrain Correction), and export that "
    "as GeoTIFF; or give the Sentinel-1 product as downloaded, which is put on a map here."
)


def on_a_grid(file: Any) -> tuple[Any, Any, list[tuple[str, str]]]:
    """Return the bands of a raster on a regular grid; warp them if it has only ground control points.

    Args:
        file: Opened rasterio dataset; closed if another replaces it.

    Returns:
        The dataset to close at the end, the dataset with the grid, and (level, message) pairs for the log.

    Raises:
        InputError: The points give no grid, or are too few for a scene as wide.
    """
    points, crs = all_points(file)
    if points:
        return _warped(file, points, crs)
    if file.crs is None or file.transform == Affine.identity():
        note = "The raster has no coordinate system; its pixel size is assumed to be the model's."
        return file, file, [("warning", note)]
    return file, file, []


def _warped(file: Any, points: list[GroundControlPoint], crs: CRS | None) -> tuple[Any, Any, list[tuple[str, str]]]:
    notes, name = [], file.name
    if crs is None and all(abs(point.x) <= 360 and abs(point.y) <= 90 for point in points):
        crs = DEGREES
        notes.append(("warning", "The ground control points have no coordinate system; they are taken for WGS 84."))
    if crs is not None and crs.is_geographic and np.ptp([point.x for point in points]) > 180:
        points = [GroundControlPoint(p.row, p.col, p.x % 360, p.y, p.z) for p in points]
    spline = len(points) >= MANY_POINTS or _is_wide(file, points, crs)
    kept = thinned(points)
    used = "" if len(kept) == len(points) else f", of which {len(kept)}, spread over the image, are used"
    if kept != file.gcps[0] or crs != file.gcps[1]:
        with file:
            text = with_points(file, kept, crs)
        file = open_raster(text)
    options: dict[str, Any] = {"SRC_METHOD": "GCP_TPS"} if spline else {}
    if file.nodata is not None:
        options["nodata"] = file.nodata
    elif ColorInterp.alpha not in file.colorinterp:
        options["add_alpha"] = True
    try:
        # Nearest neighbour: values in dB must not be averaged.
        warped = WarpedVRT(file, src_crs=crs, crs=crs, resampling=Resampling.nearest, warp_mem_limit=64, **options)
    except RASTER_ERRORS as error:
        raise _no_grid(name, error) from error
    grid = f"{warped.crs}, {warped.width} x {warped.height} pixels"
    note = (
        f"The raster has only ground control points ({len(points)}{used}); it is warped to a grid in {grid}, which the "
        "output has too."
    )
    return file, warped, [*notes, ("info", note)]


def _is_wide(file: Any, points: list[GroundControlPoint], crs: CRS | None) -> bool:
    """Return whether a scene is so wide that a plane through its points misses its middle.

    Raises:
        InputError: The scene is so wide, and has too few points for a curved surface.
    """
    try:
        fitted = spread(points)
    except ValueError:
        return False  # the warp refuses them
    misfit = max(math.dist(~fitted * (p.x, p.y), (p.col, p.row)) for p in points) if fitted.determinant else 0.0
    turned = abs(fitted.b) * file.height / abs(fitted.a or 1) + abs(fitted.d) * file.width / abs(fitted.e or 1)
    if misfit < 1 and turned < 1:
        return False  # a map already, north up
    metres = _metres(crs, points)
    if metres is None:
        return False
    across = math.hypot(fitted.a * metres[0], fitted.d * metres[1]) * file.width
    down = math.hypot(fitted.b * metres[0], fitted.e * metres[1]) * file.height
    if max(across, down) <= WIDE:
        return False
    if len(points) < CURVED or math.sqrt(across * down / len(points)) > APART:
        raise InputError(
            f"{file.name} is in radar geometry with {len(points)} ground control points for {across / 1e3:.0f} x "
            f"{down / 1e3:.0f} km: its middle would be hundreds of metres off.",
            HINT,
        )
    return True


def _metres(crs: CRS | None, points: list[GroundControlPoint]) -> tuple[float, float] | None:
    """Return the length in metres of a unit of x and of y; None if unknown."""
    if crs is None:
        return None
    if crs.is_geographic:
        latitude = math.radians(float(np.mean([point.y for point in points])))
        return 111_320 * math.cos(latitude), 111_320
    try:
        factor = float(crs.linear_units_factor[1])
    except RASTER_ERRORS:
        return None
    return factor, factor


def _no_grid(name: str, error: Exception) -> InputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(
        f"{name} can't be put on a grid by its ground control points: {reason}.",
        "Warp it first (in QGIS: Raster > Projections > Warp), then run again.",
    )
