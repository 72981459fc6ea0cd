"""Units of backscatter → dB → clip → z-score, and the validity mask.

The only place that does it, for inference and training alike, so that both see the same numbers.
Backscatter is averaged and resampled in linear power only: `to_power` and `from_power` are for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card import Band
from backend.errors import InputError

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

# Sentinel-1 land and sea lie between about -45 and +25 dB; a value far outside can't be backscatter in dB.
DB_RANGE = (-70.0, 50.0)
# Power of +25 dB is 316 and strong point targets reach 1e4; above that it is a digital number.
POWER_CEILING = 1e5


class Units(str, Enum):
    """How backscatter is written in a file."""

    AUTO = "auto"
    DB = "db"
    LINEAR_POWER = "linear_power"
    AMPLITUDE = "amplitude"


def _finite(sample: NDArray[Any], valid: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(sample, dtype=np.float64)
    keep = np.broadcast_to(valid, values.shape) & np.isfinite(values)
    picked: NDArray[np.float64] = values[keep]
    return picked


def decide_units(sample: NDArray[Any], valid: NDArray[Any]) -> Units:
    """Decide from values whether backscatter is in dB, linear power or amplitude.

    Args:
        sample: Values drawn from over the whole raster, shape [bands, H, W].
        valid: Which of them count, shape [bands, H, W] or [H, W].

    Returns:
        DB where a fair share is negative; otherwise LINEAR_POWER or AMPLITUDE by the median, which is
        about 0.005 to 0.1 for power and 0.07 to 0.35 for amplitude over land.

    Raises:
        InputError: The values fit none of the three.
    """
    values = _finite(sample, valid)
    if values.size == 0:
        return Units.DB
    low, median, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
    found = f"values run from {low:.4g} to {high:.4g} (1 to 99 %), median {median:.4g}"
    if float(np.mean(values < 0)) > 0.02:
        if low < DB_RANGE[0] or high > DB_RANGE[1]:
            raise InputError(
                f"Units can't be told: {found}; backscatter in dB lies between -50 and 30.",
                "Give calibrated backscatter (dB, linear power or amplitude), or say which with the units option.",
            )
        return Units.DB
    positive = values[values > 0]
    if positive.size == 0:
        raise InputError(
            "Every valid value is 0, which is no backscatter in any unit.",
            "Check which bands were chosen, and the nodata value of the raster.",
        )
    return _decide_linear(positive, found)


def _decide_linear(positive: NDArray[np.float64], found: str) -> Units:
    # For gamma speckle the coefficient of variation tells power from amplitude only in flat areas; the level is
    # steadier: as power, a land median lies near -8 to -22 dB; read as amplitude it would lie near -16 to -44 dB.
    level_as_power = 10 * float(np.log10(np.median(positive)))
    if level_as_power > 6:
        raise InputError(
            f"These look like uncalibrated digital numbers: {found}; calibrated linear backscatter is mostly below 1.",
            "Calibrate the product to gamma0 or sigma0 first (for instance in SNAP), then run again.",
        )
    return Units.LINEAR_POWER if level_as_power < -7.5 else Units.AMPLITUDE


def check_units(declared: Units, sample: NDArray[Any], valid: NDArray[Any]) -> None:
    """Refuse a declared unit that the values contradict.

    Raises:
        InputError: Negative values declared as linear, or dB values that no radar gives.
    """
    values = _finite(sample, valid)
    if values.size == 0 or declared is Units.AUTO:
        return
    low, median, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
    if declared is Units.DB:
        if low < DB_RANGE[0] or high > DB_RANGE[1]:
            raise InputError(
                f"The units were given as dB, but values run from {low:.4g} to {high:.4g}.",
                "Use units linear_power or amplitude, or auto.",
            )
        if low >= 0 and 0 < median < 1:
            raise InputError(
                f"The units were given as dB, but values lie between {low:.4g} and {high:.4g}, as linear ones do.",
                "Use units linear_power or amplitude, or auto.",
            )
    elif float(np.mean(values < 0)) > 0.02:
        raise InputError(
            f"The units were given as {declared.value}, but {np.mean(values < 0):.0%} of the values are negative.",
            "Use units db, or auto.",
        )
    elif median > POWER_CEILING:
        raise InputError(
            f"The units were given as {declared.value}, but the median is {median:.4g}.",
            "Calibrate the product to gamma0 or sigma0 first.",
        )


def to_power(values: NDArray[Any], units: Units) -> FloatArray:
    """Linear power of values in the given units, any shape; float32."""
    data = np.asarray(values, dtype=np.float32)
    if units is Units.DB:
        return np.power(np.float32(10), data / np.float32(10), dtype=np.float32)
    return np.square(data) if units is Units.AMPLITUDE else data


def from_power(power: NDArray[Any]) -> FloatArray:
    """Decibels of linear power, any shape; float32. Not above 0 gives -inf or nan, to be masked by the caller."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result: FloatArray = np.float32(10) * np.log10(np.asarray(power, dtype=np.float32))
    return result


def to_db(values: NDArray[Any], valid: NDArray[Any], units: Units) -> tuple[FloatArray, BoolArray]:
    """Backscatter in dB and its validity.

    Args:
        values: Shape [B, H, W], in `units` (not AUTO).
        valid: Shape [H, W]: where the file has data.
        units: Unit of `values`.

    Returns:
        dB, float32 [B, H, W], and validity [H, W]: valid before, finite in every band, above 0 where linear.
    """
    if units is Units.AUTO:
        raise ValueError("units must be decided before conversion")
    data = np.asarray(values, dtype=np.float32)
    if units is Units.DB:
        db = data
    else:
        factor = np.float32(20 if units is Units.AMPLITUDE else 10)
        with np.errstate(divide="ignore", invalid="ignore"):
            db = factor * np.log10(data)
    return db, np.asarray(valid, dtype=np.bool_) & np.isfinite(db).all(axis=0)


def normalise(db: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    """Clip to the card's range and standardise by the card's fixed mean and deviation, never by the scene's.

    Args:
        db: Shape [B, H, W], dB, in card order. A band that isn't there is all nan.
        valid: Shape [H, W].
        bands: The card's bands.

    Returns:
        float32 [B, H, W]; 0 (the mean) wherever a value is invalid or missing.
    """

    def column(values: list[float]) -> FloatArray:
        return np.array(values, dtype=np.float32).reshape(-1, 1, 1)

    low, high = column([b.clip[0] for b in bands]), column([b.clip[1] for b in bands])
    x = (np.clip(db, low, high) - column([b.mean for b in bands])) / column([b.std for b in bands])
    result: FloatArray = np.where(np.asarray(valid, dtype=np.bool_) & np.isfinite(x), x, np.float32(0))
    return result


def prepare(
    values: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], units: Units
) -> tuple[FloatArray, BoolArray]:
    """From file values to network input: `to_db`, then `normalise`.

    Args:
        values: Shape [B, H, W], in `units`.
        valid: Shape [H, W].
        bands: The card's bands, one per row of `values`.
        units: Unit of `values`, decided.

    Returns:
        Network input float32 [B, H, W], and validity [H, W].
    """
    db, good = to_db(values, valid, units)
    return normalise(db, good, bands), good
