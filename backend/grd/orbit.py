"""The path of the satellite, from the state vectors of an annotation, and when it was abreast of a place."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from backend.core.arrays import DoubleArray
from backend.grd.damage import DamagedProductError
from backend.grd.xml import Annotation

# Seconds by which an image may reach beyond the state vectors, which are 10 s apart.
BEYOND = 10.0
# Newton's method ends at this many seconds, which is a thousandth of a millimetre on the ground, or after some steps.
EXACT, STEPS = 1e-10, 20


class Orbit:
    """Positions by time, in a frame that turns with the Earth (ECEF, WGS 84).

    Cubic between state vectors, through their positions and velocities: of a circle like the satellite's that misses
    less than a millimetre.

    Args:
        annotation: Of one polarisation.
        epoch: From which times are counted.

    Raises:
        InputError: There are no usable state vectors.
    """

    def __init__(self, annotation: Annotation, epoch: np.datetime64) -> None:
        vectors = annotation.all("generalAnnotation/orbitList/orbit")
        unusable = DamagedProductError(
            f"{annotation.name} has no usable orbit, which terrain correction needs.",
            "; or leave the elevation model out",
        )
        if any(vector.text("frame", "Earth Fixed") != "Earth Fixed" for vector in vectors):
            raise unusable
        times = np.array([seconds(vector, "time", epoch) for vector in vectors])
        _, once = np.unique(times, return_index=True)
        if len(once) < 4:
            raise unusable
        places, velocities = (
            np.array([[vector.numbers(f"{name}/{axis}")[0] for axis in "xyz"] for vector in vectors])
            for name in ("position", "velocity")
        )
        self.first, self.last = float(times[once[0]]), float(times[once[-1]])
        self._place = CubicHermiteSpline(times[once], places[once], velocities[once])
        self._velocity, self._acceleration = self._place.derivative(1), self._place.derivative(2)

    def covers(self, first: float, last: float) -> bool:
        """Whether the state vectors surround a span of time."""
        return self.first - BEYOND <= first and last <= self.last + BEYOND

    def abreast(self, places: DoubleArray, guess: float) -> tuple[DoubleArray, DoubleArray]:
        """Zero-Doppler time and slant range, in seconds and metres, shape [n] each.

        Args:
            places: On the ground, ECEF in metres, shape [n, 3].
            guess: A time near all of them.
        """
        times = np.full(len(places), guess)
        for _ in range(STEPS):
            away, velocity = places - self._place(times), self._velocity(times)
            # The line of sight is at a right angle to the path.
            slope = _dot(away, self._acceleration(times)) - _dot(velocity, velocity)
            step = _dot(away, velocity) / slope
            times = times - step
            if not (np.abs(step) > EXACT).any():
                break
        return times, np.linalg.norm(places - self._place(times), axis=1)


def seconds(item: Annotation, path: str, epoch: np.datetime64) -> float:
    """The time at a path, counted from an epoch."""
    return float((item.moment(path) - epoch) / np.timedelta64(1, "ns")) / 1e9


def _dot(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    found: DoubleArray = np.einsum("ij,ij->i", first, second)
    return found
