"""Convert slant range to ground range by the coordinate conversion of an annotation.

The processor uses the polynomials of one moment, those of the nearest whole second of its clock, for a block of lines:
they follow the mean height of the terrain, and jump by up to 6 samples from one block to the next. The geolocation
grids of products of IPF 2.70 to 3.90 hold exactly for the nearest polynomials, and not for interpolated ones, by up to
1.7 samples. They also hold for the polynomials from ground to slant range; those from slant to ground range are their
approximate inverse, in IPF 2.36 with errors of 4 samples.
"""

from __future__ import annotations

import numpy as np

from backend.core.arrays import DoubleArray, IndexArray
from backend.grd.damage import DamagedProductError
from backend.grd.terrain.orbit import seconds
from backend.grd.xml import Annotation

# Newton's steps from the approximate inverse.
STEPS = 3
# Metres between the slant ranges at which the change from block to block is tabulated.
STEP = 400.0
# A ground range that differs by more from the approximate inverse, in metres, shows that both contradict each other.
CONTRADICTION = 1000.0


class GroundRange:
    """Convert time and slant range to ground range.

    Args:
        annotation: Annotation of one polarisation.
        epoch: Origin of times.
        near: Slant range of the first sample in metres, about.
        far: Slant range of the last sample.

    Raises:
        InputError: There is no usable conversion.
    """

    def __init__(self, annotation: Annotation, epoch: np.datetime64, near: float, far: float) -> None:
        items = annotation.all("coordinateConversion/coordinateConversionList/coordinateConversion")
        tables = [item.numbers("srgrCoefficients") for item in items]
        back = [item.numbers("grsrCoefficients", "0") for item in items]
        if not items or len({table.size for table in tables}) > 1 or len({table.size for table in back}) > 1:
            raise contradiction(annotation.name, "it has no usable conversion of slant range to ground range")
        times = np.array([seconds(item, "azimuthTime", epoch) for item in items])
        order = np.argsort(times)
        self._times, self._there, self._back = times[order], np.array(tables)[order].T, np.array(back)[order].T
        self._origins, self._starts = (
            np.array([float(item.numbers(name, default)[0]) for item in items])[order]
            for name, default in (("sr0", None), ("gr0", "0"))
        )
        self._near, self._far, self._name = near, far, annotation.name
        # Ground range by the middle block, and what the other blocks add to it, on a grid of ground ranges.
        self.middle = len(items) // 2
        self._edges = (self._times[1:] + self._times[:-1]) / 2
        slants = np.arange(near - STEP, far + 2 * STEP, STEP)
        base = self.by_block(np.full(slants.size, self.middle), slants)
        self._base = base
        self._added = np.stack([self.by_block(np.full(slants.size, n), slants) - base for n in range(len(items))])

    def blocks(self, times: DoubleArray) -> IndexArray:
        """Return the number of the block of each time in seconds."""
        found: IndexArray = np.searchsorted(self._edges, times)
        return found

    def added(self, times: DoubleArray, ground: DoubleArray) -> DoubleArray:
        """Return the difference in metres between the ground range by each time's block and by the middle block."""
        place = np.interp(ground, self._base, np.arange(self._base.size))
        low = np.minimum(place.astype(np.intp), self._base.size - 2)
        part, block = place - low, self.blocks(times)
        result: DoubleArray = (1 - part) * self._added[block, low] + part * self._added[block, low + 1]
        return result

    @property
    def most_added(self) -> float:
        """Return the largest absolute value of `added`, in metres."""
        return float(np.abs(self._added).max())

    def by_block(self, block: IndexArray, slant: DoubleArray) -> DoubleArray:
        """Return ground range in metres by blocks; outside the image, the polynomials are continued linearly."""
        inside = np.clip(slant, self._near, self._far)
        ground, slope = _polynomial(self._there[:, block], inside - self._origins[block])
        if len(self._back) > 1:
            exact = ground
            for _ in range(STEPS):
                found, change = _polynomial(self._back[:, block], exact - self._starts[block])
                exact = exact - (found - inside) / change
                slope = 1 / change
            if not (np.abs(exact - ground) < CONTRADICTION).all():
                raise contradiction(
                    self._name, "its conversions of slant range and of ground range contradict each other"
                )
            ground = exact
        result: DoubleArray = ground + slope * (slant - inside)
        return result


def contradiction(name: str, what: str) -> DamagedProductError:
    """Return the refusal of an annotation whose geometry can't be used."""
    return DamagedProductError(
        f"{name} can't be used for terrain correction: {what}.", "; or leave the elevation model out"
    )


def _polynomial(coefficients: DoubleArray, at: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Return polynomials [degree, n] and their derivatives at [n], by Horner's scheme."""
    value, slope = np.zeros_like(at), np.zeros_like(at)
    for factor in coefficients[::-1]:
        slope = slope * at + value
        value = value * at + factor
    return value, slope
