"""Compute statistics over dates, pixel by pixel, in linear power; the deviation in dB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, FloatArray
from backend.radiometry.convert import from_power

STATISTICS = ("mean", "median", "min", "max", "std", "count")
# Statistics that are backscatter; the deviation is a difference in dB whatever the unit of these.
LEVELS = ("mean", "median", "min", "max")


def over_dates(power: FloatArray, wanted: Sequence[str]) -> dict[str, FloatArray]:
    """Return statistics over the first axis, of what is valid.

    Args:
        power: Linear power [dates, H, W] of one band, NaN where invalid; sorted afterwards if the median is wanted.
        wanted: Names in STATISTICS.

    Returns:
        float32 [H, W] for each: mean, median, min, max in power, NaN where no date is valid; std in dB, the square root
        of the sum of squares over the number of dates less one, NaN below two dates; count of valid dates, 0 to all.
    """
    valid = np.isfinite(power)
    count = valid.sum(axis=0)
    found: dict[str, NDArray[Any]] = {"count": count.astype(np.float32)}
    if "mean" in wanted:
        found["mean"] = _mean(power, valid, count)
    if "std" in wanted:
        found["std"] = _deviation(from_power(power), valid, count)
    del valid
    if "min" in wanted:
        found["min"] = np.fmin.reduce(power, axis=0)
    if "max" in wanted:
        found["max"] = np.fmax.reduce(power, axis=0)
    if "median" in wanted:
        found["median"] = _median(power, count)
    return {name: found[name].astype(np.float32) for name in wanted}


def _mean(values: FloatArray, valid: NDArray[np.bool_], count: NDArray[Any]) -> DoubleArray:
    # Date by date, so that no array of all dates in double precision is needed.
    total = np.zeros(count.shape, dtype=np.float64)
    for plane, there in zip(values, valid):
        np.add(total, plane, out=total, where=there)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: DoubleArray = total / count
    return mean


def _deviation(db: FloatArray, valid: NDArray[np.bool_], count: NDArray[Any]) -> NDArray[Any]:
    mean, squares = _mean(db, valid, count), np.zeros(count.shape, dtype=np.float64)
    for plane, there in zip(db, valid):
        np.add(squares, (plane - mean) ** 2, out=squares, where=there)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)


def _median(power: FloatArray, count: NDArray[Any]) -> NDArray[Any]:
    power.sort(axis=0)  # NaN comes last
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, len(power) - 1)
    middle = [np.take_along_axis(power, index[None], axis=0)[0] for index in (low, high)]
    # An odd number of dates has one in the middle.
    return np.where(count > 0, (middle[0] + middle[1]) * np.float32(0.5), np.nan)
