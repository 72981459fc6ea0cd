"""Units of backscatter → dB → clip → z-score, and the validity mask.

The only place that does it, for inference and training alike, so that both see the same numbers.
Backscatter is averaged and resampled in linear power only: `to_power` and `from_power` are for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card import Band
from backend.units import Units, check_units, decide_units, exactly_zero

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
# Units and how to tell them are part of this module's interface.
__all__ = [
    "Units",
    "check_units",
    "decide_units",
    "from_power",
    "normalise",
    "prepare",
    "to_db",
    "to_power",
]


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
        dB, float32 [B, H, W], and validity [H, W]: valid before, finite in every band, above 0 where linear. Of two
        or more bands in dB, a pixel that is exactly 0 in all of them is invalid too: exports of SNAP and Earth Engine
        have such borders without a nodata tag, and measured polarisations never agree on 0 dB to the last digit.
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
    good = np.asarray(valid, dtype=np.bool_) & np.isfinite(db).all(axis=0)
    if units is Units.DB and len(db) > 1:
        good &= ~exactly_zero(db)
    return db, good


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
