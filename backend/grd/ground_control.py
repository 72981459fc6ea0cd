"""Read ground control points of a product, choose a map projection for them, and fit splines through them."""

from __future__ import annotations

import math
from typing import Callable

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points
from scipy.interpolate import RBFInterpolator

from backend.grd.damage import DamagedProductError
from backend.grd.xml import Annotation
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import DEGREES

Positions = NDArray[np.float64]
# Beyond these latitudes there is no UTM, but the Universal Polar Stereographic system.
UTM_NORTH, UTM_SOUTH = 84.0, -80.0
# A spline of n points takes a matrix of n x n, and time with the third power: here 32 MB and a second.
MOST_POINTS = 2000


def read_points(annotation: Annotation, shape: tuple[int, int]) -> tuple[Positions, Positions]:
    """Read the geolocation grid: image positions (sample, line) and longitude and latitude, [n, 2] each.

    Image positions count from the outer corner of the first sample, as in GDAL. The annotation gives the centres of
    samples.

    Args:
        annotation: Annotation of one polarisation.
        shape: Lines and samples of the image.

    Raises:
        InputError: A position is impossible.
    """
    items = annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    if len(items) > MOST_POINTS:
        raise DamagedProductError(
            f"{annotation.name} has {len(items)} ground control points; real products have some hundred, and "
            f"{MOST_POINTS} are the most that can be interpolated."
        )
    table = [[float(p.numbers(name)[0]) for name in ("pixel", "line", "longitude", "latitude")] for p in items]
    values = np.array(table, dtype=np.float64).reshape(-1, 4)
    image, degrees = values[:, :2] + 0.5, values[:, 2:]
    # The grid may extend a little beyond the image.
    if (np.abs(image) > (2 * shape[1], 2 * shape[0])).any() or (np.abs(degrees) > (360, 90)).any():
        raise DamagedProductError(f"{annotation.name} has impossible ground control points.")
    return image, degrees


def choose_crs(degrees: Positions) -> CRS:
    """Return the UTM zone (WGS 84), or the UPS system near a pole, of the mean longitude and latitude of [n, 2]."""
    # The mean of directions: that of 179 and -179 is 180.
    turn = np.exp(1j * np.radians(degrees[:, 0])).mean()
    longitude, latitude = math.degrees(np.angle(turn)), float(degrees[:, 1].mean())
    if latitude > UTM_NORTH or latitude < UTM_SOUTH:
        return CRS.from_epsg(32661 if latitude > 0 else 32761)
    zone = min(max(int((longitude + 180) // 6) + 1, 1), 60)
    return CRS.from_epsg((32600 if latitude >= 0 else 32700) + zone)


def spline(source: Positions, target: Positions) -> Callable[[Positions], Positions]:
    """Fit a thin-plate spline from points [n, 2] to points [n, 2].

    The spline doesn't depend on the scale of the points, but the accuracy of its solution does: they are normalised.

    Raises:
        InputError: The points lie on a line.
    """
    middle, scale = source.mean(axis=0), np.ptp(source, axis=0).max()
    try:
        fit = RBFInterpolator((source - middle) / scale, target, kernel="thin_plate_spline")
    except np.linalg.LinAlgError as error:
        raise DamagedProductError("The ground control points of the product lie on one line.") from error

    def at(positions: Positions) -> Positions:
        found: Positions = fit((positions - middle) / scale)
        return found

    return at


def transformed(source: CRS, target: CRS, positions: Positions) -> Positions:
    """Transform points [n, 2] to another CRS; not finite where the CRS doesn't cover them."""
    try:
        return np.array(transform_points(source, target, positions[:, 0], positions[:, 1]), dtype=np.float64).T
    except RASTER_ERRORS:
        return np.full_like(positions, np.nan)


def tied_points(annotation: Annotation, shape: tuple[int, int]) -> tuple[Positions, Positions, CRS]:
    """Return the ground control points in the image and on the ground, [n, 2] each, and the CRS of the latter.

    Raises:
        InputError: The geolocation grid is damaged.
    """
    image, degrees = read_points(annotation, shape)
    unusable = DamagedProductError(f"{annotation.name} has no usable geolocation grid.")
    if len(image) < 4 or (np.ptp(image, axis=0) == 0).any() or len(np.unique(image, axis=0)) < len(image):
        raise unusable
    crs = choose_crs(degrees)
    ground = transformed(DEGREES, crs, degrees)
    if not np.isfinite(ground).all() or len(np.unique(ground, axis=0)) < len(ground):
        raise unusable
    return image, ground, crs
