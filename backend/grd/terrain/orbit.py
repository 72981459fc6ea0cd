"""Interpolate the orbit between the state vectors of an annotation, and find the zero-Doppler time of ground points."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from backend.core.arrays import DoubleArray
from backend.grd.damage import DamagedProductError
from backend.grd.xml import Annotation

# Seconds by which an image may extend beyond the state vectors, which are 10 s apart.
BEYOND = 10.0
# Newton's method ends at a step of EXACT seconds, a thousandth of a millimetre on the ground, or after STEPS.
EXACT, STEPS = 1e-10, 20
# State vectors that an orbit needs.
LEAST = 4


class Orbit:
    """Interpolate satellite positions by time, in an Earth-fixed frame (ECEF, WGS 84).

    Positions are a cubic Hermite spline through the positions and velocities of the state vectors. On a circular orbit
    like that of Sentinel-1 its error is below a millimetre.

    Args:
        times: Increasing times of the state vectors in seconds, [n].
        positions: Positions in metres, [n, 3].
        velocities: Velocities in metres a second, [n, 3].
    """

    def __init__(self, times: DoubleArray, positions: DoubleArray, velocities: DoubleArray) -> None:
        self.first, self.last = float(times[0]), float(times[-1])
        self._position = CubicHermiteSpline(times, positions, velocities)
        self._velocity, self._acceleration = self._position.derivative(1), self._position.derivative(2)

    def positions(self, times: DoubleArray) -> DoubleArray:
        """Return positions of the satellite in metres, [n, 3]."""
        found: DoubleArray = self._position(times)
        return found

    def covers(self, first: float, last: float) -> bool:
        """Return whether the state vectors cover a time span, in seconds."""
        return self.first - BEYOND <= first and last <= self.last + BEYOND

    def zero_doppler(self, points: DoubleArray, guess: float) -> tuple[DoubleArray, DoubleArray]:
        """Return zero-Doppler times in seconds and slant ranges in metres, [n] each.

        Args:
            points: Ground points, ECEF in metres, [n, 3].
            guess: Time in seconds near all of them.
        """
        times = np.full(len(points), guess)
        for _ in range(STEPS):
            away, velocity = points - self._position(times), self._velocity(times)
            # At zero Doppler, the line of sight is perpendicular to the velocity.
            slope = _dot(away, self._acceleration(times)) - _dot(velocity, velocity)
            step = _dot(away, velocity) / slope
            times = times - step
            if not (np.abs(step) > EXACT).any():
                break
        return times, np.linalg.norm(points - self._position(times), axis=1)


def annotated_orbit(annotation: Annotation, epoch: np.datetime64) -> Orbit:
    """Read the state vectors of an annotation.

    Args:
        annotation: Annotation of one polarisation.
        epoch: Origin of times.

    Raises:
        InputError: There are no usable state vectors.
    """
    vectors = annotation.all("generalAnnotation/orbitList/orbit")
    unusable = DamagedProductError(
        f"{annotation.name} has no usable orbit, which terrain correction needs.",
        "; or leave the elevation model out",
    )
    if any(vector.text("frame", "Earth Fixed") != "Earth Fixed" for vector in vectors):
        raise unusable
    times = np.array([seconds(vector, "time", epoch) for vector in vectors])
    _, once = np.unique(times, return_index=True)
    if len(once) < LEAST:
        raise unusable
    positions, velocities = (
        np.array([[vector.numbers(f"{name}/{axis}")[0] for axis in "xyz"] for vector in vectors])
        for name in ("position", "velocity")
    )
    return Orbit(times[once], positions[once], velocities[once])


def seconds(item: Annotation, path: str, epoch: np.datetime64) -> float:
    """Return the time at a path in seconds from an epoch."""
    return float((item.moment(path) - epoch) / np.timedelta64(1, "ns")) / 1e9


def _dot(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    found: DoubleArray = np.einsum("ij,ij->i", first, second)
    return found
