"""Locate points of known height in an image: backward geocoding by the range-Doppler equations.

Method: "Guide to Sentinel-1 Geocoding" (UZH-S1-GC-AD), for ground-range products: zero-Doppler time from the orbit,
slant range, and ground range by the coordinate conversion of the annotation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backend.core.arrays import DoubleArray
from backend.grd.ground_control import Positions
from backend.grd.product import Channel
from backend.grd.terrain.ground_range import GroundRange, contradiction
from backend.grd.terrain.orbit import Orbit, annotated_orbit, seconds

LIGHT = 299_792_458.0
# WGS 84: semi-major axis in metres, and squared eccentricity.
AXIS, ECCENTRICITY = 6_378_137.0, 6.69437999014e-3
IMAGE = "imageAnnotation/imageInformation/"
# Largest median distance in samples to the geolocation grid; beyond it the parts of the annotation contradict.
TOLERANCE = 20.0


class View(NamedTuple):
    """Describe how points are seen.

    Attributes:
        image: Smooth image positions, [n, 2].
        slant: Slant ranges in metres, [n].
        satellite: Positions of the satellite at their zero-Doppler times, ECEF in metres, [n, 3].
    """

    image: Positions
    slant: DoubleArray
    satellite: DoubleArray


class RangeDoppler:
    """Hold the imaging geometry of a polarisation.

    Args:
        channel: One polarisation.
        orbit: Returns an orbit for the epoch of its times; None for the orbit of the annotation.

    Attributes:
        spacing: Metres on the ground between samples.
        jump: Samples by which the conversion to ground range differs from its middle at most.
        agreement: Median distance in metres between the geolocation grid and the positions computed for it.

    Raises:
        InputError: The geometry in the annotation is incomplete or contradictory.
    """

    def __init__(self, channel: Channel, orbit: Callable[[np.datetime64], Orbit] | None = None) -> None:
        annotation = channel.annotation
        epoch = annotation.moment(IMAGE + "productFirstLineUtcTime")
        self._last = seconds(annotation, IMAGE + "productLastLineUtcTime", epoch)
        self._orbit = orbit(epoch) if orbit is not None else annotated_orbit(annotation, epoch)
        if not self._last > 0 or not self._orbit.covers(0, self._last):
            raise contradiction(annotation.name, "its orbit does not cover the times of its lines")
        self._lines_per_second = (channel.shape[0] - 1) / self._last
        self.spacing = channel.spacings[0]
        points = annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
        names = ("longitude", "latitude", "height", "pixel", "line", "slantRangeTime")
        table = np.array([[float(point.numbers(name)[0]) for name in names] for point in points])
        near, far = table[:, 5].min() * LIGHT / 2, table[:, 5].max() * LIGHT / 2
        self._conversion = GroundRange(annotation, epoch, near, far)
        self.jump = self._conversion.most_added / self.spacing
        missed = self.positions(table[:, :2], table[:, 2]) - 0.5 - table[:, 3:5]
        apart = float(np.median(np.hypot(*missed.T)))
        if not apart <= TOLERANCE:
            raise contradiction(annotation.name, f"its orbit and its geolocation grid are {apart:.4g} samples apart")
        self.agreement = float(np.median(np.hypot(*(missed * channel.spacings).T)))

    def positions(self, degrees: Positions, heights: DoubleArray) -> Positions:
        """Return image positions (sample, line), counted from the outer corner of the first sample, [n, 2].

        Args:
            degrees: Longitude and latitude, [n, 2].
            heights: Heights above the WGS 84 ellipsoid in metres, [n].
        """
        smooth = self.smooth_positions(degrees, heights)
        smooth[:, 0] += self.block_shift(*smooth.T)
        return smooth

    def smooth_positions(self, degrees: Positions, heights: DoubleArray) -> Positions:
        """Return image positions as if the whole image had the conversion to ground range of its middle.

        They change smoothly, and may be interpolated; `block_shift` is to be added then.
        """
        return self.view(earth_fixed(degrees, heights)).image

    def block_shift(self, samples: DoubleArray, lines: DoubleArray) -> DoubleArray:
        """Return by how many samples [n] the conversion of the lines' blocks displaces smooth positions [n]."""
        times = (lines - 0.5) / self._lines_per_second
        return self._conversion.added(times, (samples - 0.5) * self.spacing) / self.spacing

    def view(self, points: DoubleArray) -> View:
        """Return how points [n, 3], ECEF in metres, are seen."""
        times, slant = self._orbit.zero_doppler(points, self._last / 2)
        middle = np.full(len(times), self._conversion.middle)
        sample = self._conversion.by_block(middle, slant) / self.spacing
        image = np.stack((sample + 0.5, times * self._lines_per_second + 0.5), axis=1)
        return View(image, slant, self._orbit.positions(times))


def earth_fixed(degrees: Positions, heights: DoubleArray) -> DoubleArray:
    """Convert WGS 84 longitude and latitude [n, 2] and heights [n] to ECEF coordinates in metres, [n, 3]."""
    longitude, latitude = np.radians(degrees).T
    radius = AXIS / np.sqrt(1 - ECCENTRICITY * np.sin(latitude) ** 2)
    flat = (radius + heights) * np.cos(latitude)
    up = ((1 - ECCENTRICITY) * radius + heights) * np.sin(latitude)
    return np.stack((flat * np.cos(longitude), flat * np.sin(longitude), up), axis=1)
