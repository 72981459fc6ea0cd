"""Positions in a product: of the image, in degrees, and in metres of a map projection."""

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

Positions = NDArray[np.float64]
# Beyond these latitudes there is no UTM, but the Universal Polar Stereographic system.
UTM_NORTH, UTM_SOUTH = 84.0, -80.0


def read_points(annotation: Annotation, shape: tuple[int, int]) -> tuple[Positions, Positions]:
    """Image positions (sample, line) and longitude and latitude of the geolocation grid, shape [n, 2] each.

    An image position counts from the outer corner of the first sample, as GDAL counts; the annotation numbers samples,
    and its positions are those of their centres.
    """
    items = annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    table = [[float(p.numbers(name)[0]) for name in ("pixel", "line", "longitude", "latitude")] for p in items]
    values = np.array(table, dtype=np.float64).reshape(-1, 4)
    image, degrees = values[:, :2] + 0.5, values[:, 2:]
    # A grid may reach a little beyond the image.
    if (np.abs(image) > (2 * shape[1], 2 * shape[0])).any() or (np.abs(degrees) > (360, 90)).any():
        raise DamagedProductError(f"{annotation.name} has impossible positions.")
    return image, degrees


def choose_crs(degrees: Positions) -> CRS:
    """The zone of UTM (WGS 84), or the polar system, for the middle of positions [n, 2] of longitude and latitude."""
    # Mean direction: the mean of 179 and -179 is 180.
    turn = np.exp(1j * np.radians(degrees[:, 0])).mean()
    longitude, latitude = math.degrees(np.angle(turn)), float(degrees[:, 1].mean())
    if latitude > UTM_NORTH or latitude < UTM_SOUTH:
        return CRS.from_epsg(32661 if latitude > 0 else 32761)
    zone = min(max(int((longitude + 180) // 6) + 1, 1), 60)
    return CRS.from_epsg((32600 if latitude >= 0 else 32700) + zone)


def spline(source: Positions, target: Positions) -> Callable[[Positions], Positions]:
    """A thin-plate spline through points [n, 2]. It doesn't depend on the scale, but solving for it does.

    Raises:
        InputError: There is none: the points lie on a line.
    """
    middle, scale = source.mean(axis=0), np.ptp(source, axis=0).max()
    try:
        fit = RBFInterpolator((source - middle) / scale, target, kernel="thin_plate_spline")
    except np.linalg.LinAlgError as error:
        raise DamagedProductError("The positions of the product lie on one line.") from error

    def at(positions: Positions) -> Positions:
        found: Positions = fit((positions - middle) / scale)
        return found

    return at


def transformed(source: CRS, target: CRS, positions: Positions) -> Positions:
    """Positions [n, 2] in another CRS; not finite where they have no place in it."""
    try:
        return np.array(transform_points(source, target, positions[:, 0], positions[:, 1]), dtype=np.float64).T
    except RASTER_ERRORS:
        return np.full_like(positions, np.nan)
