"""Decide the units of backscatter from value statistics, or check declared units against them."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray
from backend.core.errors import InputError

# Sentinel-1 backscatter of land and sea is between about -45 and +25 dB; values far outside are not dB.
DB_RANGE = (-70.0, 50.0)
# In dB, 1 % of the values of any scene are below this; noise-subtracted power is never this negative.
DB_LOW = -1.0
# A median level above this, in dB, means digital numbers: calibrated backscatter is mostly below 0 dB.
LEVEL_CEILING = 6.0
# Level (median of 10 log10) and difference of two polarisations that separate power from amplitude. In 20 real scenes
# the level was -10.3 to -16.6 as power and -5.2 to -8.3 as amplitude; VV - VH was 5.2 to 9.6 and 2.6 to 4.8.
LEVEL_SPLIT, DIFFERENCE_SPLIT, LEVEL_WEIGHT = -9.2, 5.0, 0.4
# Scores closer to 0 than this, in dB, are uncertain; one band is much less certain than two.
DOUBT_ONE_BAND, DOUBT_TWO_BANDS = 3.0, 1.0
# Fraction of the sample above which coherence out of range is refused.
ODD_SHARE = 0.01
# Cubic resampling overshoots 0 and 1 a little.
COHERENCE_SLACK = 0.05


class Units(str, Enum):
    """List the units of backscatter in a file."""

    AUTO = "auto"
    DB = "db"
    LINEAR_POWER = "linear_power"
    AMPLITUDE = "amplitude"


def decide_units(sample: NDArray[Any], valid: NDArray[Any]) -> Units:
    """Decide from values whether backscatter is in dB, linear power or amplitude.

    Args:
        sample: Values from all over the raster, shape [bands, H, W].
        valid: Validity of the values, shape [bands, H, W] or [H, W].

    Returns:
        DB if 1 % of the values are below DB_LOW; otherwise LINEAR_POWER or AMPLITUDE, by the level and, for two
        polarisations, their difference: the square root halves both in dB.

    Raises:
        InputError: The values fit none of the three.
    """
    values = _finite(sample, valid)
    if values.size == 0:
        return Units.DB
    values = values[values != 0]
    if values.size == 0:
        raise InputError(
            "All valid values are 0; this is not backscatter.",
            "Check which bands were chosen, and the nodata value of the raster.",
        )
    low, median, high = _percentiles(values)
    found = f"values run from {low:.4g} to {high:.4g} (1 to 99 %), median {median:.4g}"
    if low < DB_LOW:
        if low < DB_RANGE[0] or high > DB_RANGE[1]:
            raise InputError(
                f"Units can't be decided: {found}; backscatter in dB is between -50 and 30.",
                _nodata_hint(values)
                or "Give calibrated backscatter (dB, linear power or amplitude), or set the units option.",
            )
        return Units.DB
    positive = values[values > 0]
    if positive.size == 0:
        raise InputError(
            f"Units can't be decided: {found}; values in dB reach lower, and linear values are above 0.",
            "Check which bands were chosen, and the nodata value of the raster.",
        )
    if _level(positive) > LEVEL_CEILING:
        raise _digital_numbers(found)
    return Units.LINEAR_POWER if _power_score(sample, valid)[0] > 0 else Units.AMPLITUDE


def units_doubt(sample: NDArray[Any], valid: NDArray[Any]) -> str | None:
    """Return a warning if the choice between power and amplitude is uncertain; None otherwise.

    Args:
        sample: See `decide_units`, which must have accepted it.
        valid: See `decide_units`.
    """
    units = decide_units(sample, valid)
    if units is Units.DB:
        return None
    score, doubt = _power_score(sample, valid)
    if abs(score) >= doubt:
        return None
    other = Units.AMPLITUDE if units is Units.LINEAR_POWER else Units.LINEAR_POWER
    return (
        f"The values are read as {units.value} but could be {other.value}; if the map looks wrong, "
        f"set the units option to {other.value}."
    )


def exactly_zero(values: Any) -> Any:
    """Return where all bands of [bands, H, W] are exactly 0, bool [H, W]; of an array or a tensor alike."""
    first, *more = values
    zero = first == 0
    for band in more:
        zero &= band == 0
    return zero


def check_units(declared: Units, sample: NDArray[Any], valid: NDArray[Any]) -> None:
    """Refuse declared units that the values contradict.

    Args:
        declared: Units given by the user; AUTO is accepted.
        sample: See `decide_units`.
        valid: See `decide_units`.

    Raises:
        InputError: Negative values or digital numbers are declared as linear, or the values are impossible in dB.
    """
    values = _finite(sample, valid)
    values = values[values != 0]  # nodata in all units
    if values.size == 0 or declared is Units.AUTO:
        return
    if declared is Units.DB:
        _check_db(values)
    else:
        _check_linear(declared, values)


def check_coherence(sample: NDArray[Any], valid: NDArray[Any]) -> None:
    """Refuse coherence that is not a fraction.

    Args:
        sample: Values of coherence bands, shape [bands, H, W].
        valid: Validity, shape [bands, H, W] or [H, W].

    Raises:
        InputError: More than 1 % of the values are outside 0 to 1.
    """
    values = _finite(sample, valid)
    if values.size and np.mean((values < -COHERENCE_SLACK) | (values > 1 + COHERENCE_SLACK)) > ODD_SHARE:
        low, _, high = _percentiles(values)
        raise InputError(
            f"Coherence is between 0 and 1, but values run from {low:.4g} to {high:.4g} (1 to 99 %).",
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
            f"The units were given as dB, but values run from {low:.4g} to {high:.4g}, as linear ones do.",
            "Use units linear_power or amplitude, or auto.",
        )


def _check_linear(declared: Units, values: DoubleArray) -> None:
    # Noise-subtracted power is slightly negative over calm water and dry sand: only large negatives contradict it.
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
        "calibrate`, in QGIS Calibrate Sentinel-1 GRD (sardino:calibrate); others for instance in SNAP. If they are "
        "calibrated under a factor or offset, such as power times 10000, give the file its scale and offset "
        "(gdal_edit.py -scale 0.0001 -offset 0).",
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
    """Return a score in dB, above 0 for power and below 0 for amplitude, and its uncertainty.

    The coefficient of variation (gamma speckle) separates power from amplitude in homogeneous areas only; level and
    difference of polarisations are more stable.
    """
    values = np.asarray(sample, dtype=np.float64)
    keep = np.broadcast_to(valid, values.shape) & np.isfinite(values) & (values > 0)
    above = _level(values[keep]) - LEVEL_SPLIT
    both = keep[:2].all(axis=0)
    if len(values) < 2 or not both.any():
        return -above, DOUBT_ONE_BAND
    # The order of the two does not matter: cross polarisation is weaker nearly everywhere.
    difference = abs(10 * float(np.median(np.log10(values[0][both]) - np.log10(values[1][both]))))
    return difference - DIFFERENCE_SPLIT - LEVEL_WEIGHT * above, DOUBT_TWO_BANDS


def _nodata_hint(values: DoubleArray) -> str:
    """Return a hint that names a frequent value outside DB_RANGE, which must be nodata; empty if there is none."""
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
