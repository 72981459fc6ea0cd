"""Locate points of known height in an image: backward geocoding by the range-Doppler equations.

Method: "Guide to Sentinel-1 Geocoding" (UZH-S1-GC-AD), for ground-range products: zero-Doppler time from the orbit,
slant range, and ground range by the coordinate conversion of the annotation.
"""

from __future__ import annotations

import numpy as np

from backend.core.arrays import DoubleArray
from backend.grd.damage import DamagedProductError
from backend.grd.ground_control import Positions
from backend.grd.orbit import Orbit, seconds
from backend.grd.product import Channel
from backend.grd.xml import Annotation

LIGHT = 299_792_458.0
# WGS 84: semi-major axis in metres, and squared eccentricity.
AXIS, ECCENTRICITY = 6_378_137.0, 6.69437999014e-3
IMAGE = "imageAnnotation/imageInformation/"
# Largest median distance in samples to the geolocation grid; beyond it the parts of the annotation contradict.
TOLERANCE = 20.0


class RangeDoppler:
    """The imaging geometry of a polarisation.

    Args:
        channel: One polarisation.

    Attributes:
        agreement: Median distance in metres between the geolocation grid and the positions computed for it.

    Raises:
        InputError: The geometry in the annotation is incomplete or contradictory.
    """

    def __init__(self, channel: Channel) -> None:
        annotation = channel.annotation
        epoch = annotation.moment(IMAGE + "productFirstLineUtcTime")
        self._last = seconds(annotation, IMAGE + "productLastLineUtcTime", epoch)
        self._orbit = Orbit(annotation, epoch)
        if not self._last > 0 or not self._orbit.covers(0, self._last):
            raise _contradiction(annotation, "its orbit does not cover the times of its lines")
        self._lines_per_second = (channel.shape[0] - 1) / self._last
        self._spacing = channel.spacings[0]
        items = annotation.all("coordinateConversion/coordinateConversionList/coordinateConversion")
        tables = [item.numbers("srgrCoefficients") for item in items]
        if not items or len({table.size for table in tables}) > 1:
            raise _contradiction(annotation, "it has no usable conversion of slant range to ground range")
        times = np.array([seconds(item, "azimuthTime", epoch) for item in items])
        order = np.argsort(times)
        self._times, self._coefficients = times[order], np.array(tables)[order].T
        self._origins = np.array([float(item.numbers("sr0")[0]) for item in items])[order]
        points = annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
        names = ("longitude", "latitude", "height", "pixel", "line", "slantRangeTime")
        table = np.array([[float(point.numbers(name)[0]) for name in names] for point in points])
        self._near, self._far = table[:, 5].min() * LIGHT / 2, table[:, 5].max() * LIGHT / 2
        missed = self.positions(table[:, :2], table[:, 2]) - 0.5 - table[:, 3:5]
        apart = float(np.median(np.hypot(*missed.T)))
        if not apart <= TOLERANCE:
            raise _contradiction(annotation, f"its orbit and its geolocation grid are {apart:.4g} samples apart")
        self.agreement = float(np.median(np.hypot(*(missed * channel.spacings).T)))

    def positions(self, degrees: Positions, heights: DoubleArray) -> Positions:
        """Return image positions (sample, line), counted from the outer corner of the first sample, [n, 2].

        Args:
            degrees: Longitude and latitude, [n, 2].
            heights: Heights above the WGS 84 ellipsoid in metres, [n].
        """
        times, slant = self._orbit.zero_doppler(earth_fixed(degrees, heights), self._last / 2)
        sample = self._ground(times, slant) / self._spacing
        return np.stack((sample + 0.5, times * self._lines_per_second + 0.5), axis=1)

    def _ground(self, times: DoubleArray, slant: DoubleArray) -> DoubleArray:
        """Return ground range in metres. Outside the image, the polynomials are continued linearly."""
        coefficients = np.stack([np.interp(times, self._times, values) for values in self._coefficients])
        origins = np.interp(times, self._times, self._origins)
        inside = np.clip(slant, self._near, self._far)
        ground, slope = np.zeros_like(slant), np.zeros_like(slant)
        # Horner's scheme, for the polynomial and its derivative.
        for factor in coefficients[::-1]:
            slope = slope * (inside - origins) + ground
            ground = ground * (inside - origins) + factor
        result: DoubleArray = ground + slope * (slant - inside)
        return result


def earth_fixed(degrees: Positions, heights: DoubleArray) -> DoubleArray:
    """Convert WGS 84 longitude and latitude [n, 2] and heights [n] to ECEF coordinates in metres, [n, 3]."""
    longitude, latitude = np.radians(degrees).T
    radius = AXIS / np.sqrt(1 - ECCENTRICITY * np.sin(latitude) ** 2)
    flat = (radius + heights) * np.cos(latitude)
    up = ((1 - ECCENTRICITY) * radius + heights) * np.sin(latitude)
    return np.stack((flat * np.cos(longitude), flat * np.sin(longitude), up), axis=1)


def _contradiction(annotation: Annotation, what: str) -> DamagedProductError:
    return DamagedProductError(
        f"{annotation.name} can't be used for terrain correction: {what}.", "; or leave the elevation model out"
    )
