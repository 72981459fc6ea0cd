"""Find filling: a value that repeats exactly over many pixels is no backscatter, whatever the file declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray
from backend.radiometry.units import DB_LOW, DB_RANGE

# Share of a band's pixels from which a repeated value counts. The most frequent value of 320 real rasters has 0.3 % in
# floating point, and 2.4 % in hundredths of dB over chips of 900 pixels.
SHARE = 0.01
# A value of filling is this many times as frequent as the usual one: quantised values repeat too, but all alike.
TIMES = 5
# Rank of the value whose frequency is usual; with fewer values nothing is usual.
USUAL_RANK = 8
# So many impossible values of a band are named; resampled filling has thousands.
MOST_NAMED = 3
# Fewer pixels than this don't tell.
TELLING = 100
# An extreme value with no gap to the next, in interquartile ranges, is where values were cut off: saturated, but data.
GAP = 0.5
# A lowest value above this, in dB or linear, is what noise subtraction leaves of calm water: `calibrate` writes -50 dB.
FLOORS = -55.0, 3e-6


@dataclass(frozen=True)
class Filling:
    """Hold a value of one band that means no data.

    Attributes:
        row: Row of the band in the sample.
        value: As read, after scale and offset.
        share: Share of the band's valid pixels.
    """

    row: int
    value: float
    share: float


def find_filling(sample: NDArray[Any], valid: NDArray[Any], integer: Sequence[bool]) -> tuple[Filling, ...]:
    """Return the filling of each band.

    Args:
        sample: Values from all over the raster, float32 [bands, H, W], in the file's unit.
        valid: Validity [H, W].
        integer: Whether each band is stored in whole numbers, in which values inside the distribution repeat.
    """
    found: list[Filling] = []
    for row, plane in enumerate(np.asarray(sample)):
        values = plane[np.asarray(valid, dtype=np.bool_) & np.isfinite(plane)]
        found += [Filling(row, value, share) for value, share in _of_band(values, integer[row])]
    return tuple(found)


def without(sample: NDArray[Any], valid: NDArray[Any], filling: Sequence[Filling]) -> BoolArray:
    """Return the validity [H, W] of pixels that have no filling in any band."""
    kept: BoolArray = np.array(valid, dtype=np.bool_)
    for each in filling:
        kept &= sample[each.row] != np.float32(each.value)
    return kept


def beyond(sample: NDArray[Any], valid: NDArray[Any]) -> BoolArray:
    """Return which values [bands, H, W] no dB has, in bands that hold dB otherwise: resampling mixes filling and data.

    `convert.to_db` reads them as nodata.
    """
    found = np.zeros(np.shape(sample), dtype=np.bool_)
    for row, plane in enumerate(np.asarray(sample)):
        good = np.asarray(valid, dtype=np.bool_) & np.isfinite(plane)
        inside = good & (plane >= DB_RANGE[0]) & (plane <= DB_RANGE[1])
        if np.count_nonzero(inside) > np.count_nonzero(good) / 2 and np.percentile(plane[inside], 1) < DB_LOW:
            found[row] = good & ~inside
    return found


def _of_band(values: NDArray[Any], integer: bool) -> list[tuple[float, float]]:
    if values.size < TELLING:
        return []
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 2:
        return []  # a band of one value is refused as such
    ranked = np.sort(counts)[::-1]
    usual = ranked[USUAL_RANK] if len(ranked) > USUAL_RANK else values.size
    in_db = np.percentile(values, 1) < DB_LOW
    middle = _middle(values, distinct, counts, usual)
    sound = DB_RANGE[0] < middle < DB_RANGE[1]  # otherwise the band as a whole is something else
    outside = (distinct < DB_RANGE[0]) | (in_db & (distinct > DB_RANGE[1]))
    impossible = sound & (counts > 1) & outside
    often = (counts > SHARE * values.size) & (counts > TIMES * usual)
    found: list[tuple[float, float]] = []
    rest = np.ones(len(distinct), dtype=np.bool_)
    frequent = np.flatnonzero(impossible)[np.argsort(-counts[impossible], kind="stable")][:MOST_NAMED]
    candidates = np.union1d(frequent, np.flatnonzero(counts > SHARE * values.size))
    # From outside to inside: an extreme shows its gap once what lies farther out is taken away.
    for index in candidates[np.argsort(-np.abs(distinct[candidates] - middle))]:
        value = float(distinct[index])
        rest[index] = False
        zero_power = value == 0 and not in_db  # no data in any case
        if zero_power or not rest.any():
            continue
        if impossible[index] or _is_filling(value, distinct[rest], counts[rest], bool(often[index]), integer):
            found.append((value, counts[index] / values.size))
        else:
            rest[index] = True
    return found


def _middle(values: NDArray[Any], distinct: NDArray[Any], counts: NDArray[Any], usual: int) -> float:
    """Return the median of the values that are no more frequent than usual, or of all."""
    common = counts <= max(TIMES * usual, 1)
    weights = np.cumsum(np.where(common, counts, 0))
    if weights[-1] == 0:
        return float(np.median(values))
    return float(distinct[np.searchsorted(weights, weights[-1] / 2)])


def _is_filling(value: float, rest: NDArray[Any], counts: NDArray[Any], often: bool, integer: bool) -> bool:
    if value == 0 and often:
        return True
    extreme = value < rest[0] or value > rest[-1]
    if not extreme:
        return often and not integer
    if value < rest[0] and (value >= FLOORS[0] if value < 0 else value >= FLOORS[1]):
        return False
    return _gap(value, rest, counts) > (GAP if often else 4 * GAP)


def _gap(value: float, rest: NDArray[Any], counts: NDArray[Any]) -> float:
    """Return the gap between an extreme and the next value in interquartile ranges, of logarithms if all are > 0."""
    scaled: DoubleArray = np.asarray(rest, dtype=np.float64)
    ours = float(value)
    if ours >= 0 and scaled[0] >= 0:
        floor = 1e-30
        scaled, ours = np.log10(np.maximum(scaled, floor)), float(np.log10(max(ours, floor)))
    weights = np.cumsum(counts)
    low, high = (scaled[np.searchsorted(weights, weights[-1] * part)] for part in (0.25, 0.75))
    distance = min(abs(ours - scaled[0]), abs(ours - scaled[-1]))
    return float(distance / (high - low)) if high > low else float("inf") if distance > 0 else 0.0
