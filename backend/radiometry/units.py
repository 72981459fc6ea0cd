"""Which unit backscatter is written in: decided from values, or checked against what was declared."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray
from backend.core.errors import InputError

# Sentinel-1 land and sea lie between about -45 and +25 dB; a value far outside can't be backscatter in dB.
DB_RANGE = (-70.0, 50.0)
# One value in a hundred lies below this in any scene in dB; noise-subtracted power is negative by far less.
DB_LOW = -1.0
# A median above this, in dB, belongs to digital numbers: calibrated backscatter is mostly below 0 dB.
LEVEL_CEILING = 6.0
# Level (median of 10 log10) and difference of two polarisations that part power from amplitude. In 20 real scenes
# the level was -10.3 to -16.6 as power and -5.2 to -8.3 as amplitude; VV - VH was 5.2 to 9.6 and 2.6 to 4.8.
LEVEL_SPLIT, DIFFERENCE_SPLIT, LEVEL_WEIGHT = -9.2, 5.0, 0.4
# Nearer than this to the line between them, in dB, a user should look: one band tells far less than two.
DOUBT_ONE_BAND, DOUBT_TWO_BANDS = 3.0, 1.0
# Shares of the sample from which exact zeros, and one value out of range, are worth a word.
ZERO_SHARE = 0.01
# Resampling with a cubic kernel overshoots a little.
COHERENCE_SLACK = 0.05


class Units(str, Enum):
    """How backscatter is written in a file."""

    AUTO = "auto"
    DB = "db"
    LINEAR_POWER = "linear_power"
    AMPLITUDE = "amplitude"


def decide_units(sample: NDArray[Any], valid: NDArray[Any]) -> Units:
    """Decide from values whether backscatter is in dB, linear power or amplitude.

    Args:
        sample: Values drawn from over the whole raster, shape [bands, H, W].
        valid: Which of them count, shape [bands, H, W] or [H, W].

    Returns:
        DB where values are as negative as only dB are; otherwise LINEAR_POWER or AMPLITUDE, by the level and, where
        there are two polarisations, their difference: the square root halves both in dB.

    Raises:
        InputError: The values fit none of the three.
    """
    values = _finite(sample, valid)
    if values.size == 0:
        return Units.DB
    values = values[values != 0]
    if values.size == 0:
        raise InputError(
            "Every valid value is 0, which is no backscatter in any unit.",
            "Check which bands were chosen, and the nodata value of the raster.",
        )
    low, median, high = _percentiles(values)
    found = f"values run from {low:.4g} to {high:.4g} (1 to 99 %), median {median:.4g}"
    if low < DB_LOW:
        if low < DB_RANGE[0] or high > DB_RANGE[1]:
            raise InputError(
                f"Units can't be told: {found}; backscatter in dB lies between -50 and 30.",
                _nodata_hint(values)
                or "Give calibrated backscatter (dB, linear power or amplitude), or say which with the units option.",
            )
        return Units.DB
    positive = values[values > 0]
    if positive.size == 0:
        raise InputError(
            f"Units can't be told: {found}; dB would reach lower, and linear backscatter is above 0.",
            "Check which bands were chosen, and the nodata value of the raster.",
        )
    if _level(positive) > LEVEL_CEILING:
        raise _digital_numbers(found)
    return Units.LINEAR_POWER if _power_score(sample, valid)[0] > 0 else Units.AMPLITUDE


def units_doubt(sample: NDArray[Any], valid: NDArray[Any]) -> str | None:
    """What to tell a user where power and amplitude are hard to tell apart; None where `decide_units` is sure.

    Args:
        sample: As for `decide_units`, which must have accepted it.
        valid: As there.
    """
    units = decide_units(sample, valid)
    if units is Units.DB:
        return None
    score, doubt = _power_score(sample, valid)
    if abs(score) >= doubt:
        return None
    other = Units.AMPLITUDE if units is Units.LINEAR_POWER else Units.LINEAR_POWER
    return (
        f"The values are taken for {units.value} but could be {other.value}; if the map looks wrong, "
        f"set the units option to {other.value}."
    )


def nodata_doubt(units: Units, sample: NDArray[Any], valid: NDArray[Any]) -> str | None:
    """What to tell a user where a raster in dB seems to hold undeclared nodata; None otherwise.

    Args:
        units: Decided or declared unit.
        sample: As for `decide_units`.
        valid: As there.
    """
    if units is not Units.DB:
        return None
    keep = np.broadcast_to(valid, sample.shape).all(axis=0)
    share = float(np.mean(exactly_zero(sample)[keep])) if keep.any() else 0.0
    if share > ZERO_SHARE:
        what = "taken as no data" if len(sample) > 1 else "which looks like undeclared nodata, but is taken as data"
        return (
            f"About {share:.0%} of the pixels are exactly 0 dB in every band, {what}. Declare the nodata value to be "
            "sure (gdal_translate -a_nodata 0)."
        )
    return _nodata_hint(_finite(sample, valid)) or None


def exactly_zero(values: NDArray[Any]) -> BoolArray:
    """Where all bands of [bands, H, W] are exactly 0, shape [H, W]."""
    zero: BoolArray = (np.asarray(values) == 0).all(axis=0)
    return zero


def check_units(declared: Units, sample: NDArray[Any], valid: NDArray[Any]) -> None:
    """Refuse a declared unit that the values contradict.

    Raises:
        InputError: Clearly negative values or digital numbers declared as linear, or dB values that no radar gives.
    """
    values = _finite(sample, valid)
    values = values[values != 0]  # no data in every unit
    if values.size == 0 or declared is Units.AUTO:
        return
    if declared is Units.DB:
        _check_db(values)
    else:
        _check_linear(declared, values)


def check_coherence(sample: NDArray[Any], valid: NDArray[Any]) -> None:
    """Refuse coherence that isn't written as a fraction.

    Raises:
        InputError: More than one value in a hundred lies outside 0 to 1.
    """
    values = _finite(sample, valid)
    if values.size and np.mean((values < -COHERENCE_SLACK) | (values > 1 + COHERENCE_SLACK)) > ZERO_SHARE:
        low, _, high = _percentiles(values)
        raise InputError(
            f"Coherence lies between 0 and 1, but the values run from {low:.4g} to {high:.4g} (1 to 99 %).",
            "Give the file a scale tag (gdal_edit.py -scale), or check which bands were chosen.",
        )


def _check_db(values: DoubleArray) -> None:
    low, median, high = _percentiles(values)
    if low < DB_RANGE[0] or high > DB_RANGE[1]:
        raise InputError(
            f"The units were given as dB, but values run from {low:.4g} to {high:.4g}.",
            _nodata_hint(values) or "Use units linear_power or amplitude, or auto.",
        )
    if low >= 0 and 0 < median < 1:
        raise InputError(
            f"The units were given as dB, but values lie between {low:.4g} and {high:.4g}, as linear ones do.",
            "Use units linear_power or amplitude, or auto.",
        )


def _check_linear(declared: Units, values: DoubleArray) -> None:
    # Power after noise subtraction is slightly negative over calm water and dry sand; only large negatives contradict.
    low, median, high = _percentiles(values)
    if low < DB_LOW:
        raise InputError(
            f"The units were given as {declared.value}, but {np.mean(values < 0):.0%} of the values are negative, "
            f"down to {low:.4g} (1 %).",
            _nodata_hint(values) or "Use units db, or auto.",
        )
    positive = values[values > 0]
    if positive.size and _level(positive) * (2 if declared is Units.AMPLITUDE else 1) > LEVEL_CEILING:
        found = f"the units were given as {declared.value}, but values run from {low:.4g} to {high:.4g} (1 to 99 %)"
        raise _digital_numbers(f"{found}, median {median:.4g}")


def _digital_numbers(found: str) -> InputError:
    return InputError(
        f"These look like uncalibrated digital numbers: {found}; calibrated linear backscatter is mostly below 1.",
        "Calibrate the product to gamma0 or sigma0 first: Sentinel-1 GRD as downloaded with `python -m backend "
        "calibrate`, in QGIS Calibrate Sentinel-1 GRD (sardino:calibrate); others for instance in SNAP.",
    )


def _finite(sample: NDArray[Any], valid: NDArray[Any]) -> DoubleArray:
    values = np.asarray(sample, dtype=np.float64)
    keep = np.broadcast_to(valid, values.shape) & np.isfinite(values)
    picked: DoubleArray = values[keep]
    return picked


def _percentiles(values: DoubleArray) -> tuple[float, float, float]:
    low, median, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
    return low, median, high


def _level(positive: DoubleArray) -> float:
    return 10 * float(np.log10(np.median(positive)))


def _power_score(sample: NDArray[Any], valid: NDArray[Any]) -> tuple[float, float]:
    """Above 0 for power and below for amplitude, in dB, and how near 0 is doubtful.

    For gamma speckle the coefficient of variation tells power from amplitude only in flat areas; level and
    polarisation difference are steadier.
    """
    values = np.asarray(sample, dtype=np.float64)
    keep = np.broadcast_to(valid, values.shape) & np.isfinite(values) & (values > 0)
    above = _level(values[keep]) - LEVEL_SPLIT
    both = keep[:2].all(axis=0)
    if len(values) < 2 or not both.any():
        return -above, DOUBT_ONE_BAND
    # Which of the two comes first doesn't matter: the other polarisation is the weaker one nearly everywhere.
    difference = abs(10 * float(np.median(np.log10(values[0][both]) - np.log10(values[1][both]))))
    return difference - DIFFERENCE_SPLIT - LEVEL_WEIGHT * above, DOUBT_TWO_BANDS


def _nodata_hint(values: DoubleArray) -> str:
    """Names a value beyond dB that comes again and again, as nodata does and backscatter doesn't; else empty."""
    outside = values[(values < DB_RANGE[0]) | (values > DB_RANGE[1])]
    if outside.size == 0:
        return ""
    found, counts = np.unique(outside, return_counts=True)
    most = int(counts.argmax())
    if counts[most] < max(2, outside.size / 2):
        return ""
    text = f"{found[most]:.9g}"
    return (
        f"Values of exactly {text} look like nodata: declare it, for instance with "
        f"gdal_edit.py -a_nodata {text} or gdal_translate -a_nodata {text}."
    )
