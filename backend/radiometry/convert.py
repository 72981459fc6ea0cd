"""Units of backscatter → dB → clip → z-score, and the validity mask. Coherence is taken as it is written.

The only place that does it, for inference and training alike, so that both see the same numbers.
Backscatter is averaged and resampled in linear power only: `to_power` and `from_power` are for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.radiometry.units import Units, exactly_zero
from backend.raster.bands import acquisition


def is_backscatter(bands: Sequence[Band]) -> BoolArray:
    """Which bands are backscatter, shape [B]; the others are coherence, 0 to 1, which has neither dB nor gain."""
    return np.array([band.unit != "coherence" for band in bands], dtype=np.bool_)


def rows_for_units(bands: Sequence[Band]) -> list[int]:
    """Positions of the backscatter bands of one acquisition: their level and difference tell the unit of a raster."""
    rows = [row for row, radar in enumerate(is_backscatter(bands)) if radar]
    return [row for row in rows if acquisition(bands[row].name) == acquisition(bands[rows[0]].name)]


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


def to_scale(
    values: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], units: Units
) -> tuple[FloatArray, BoolArray]:
    """Values in the scale of their bands, backscatter in dB and coherence as it is; otherwise as `to_db`.

    Args:
        values: Shape [B, H, W]; backscatter in `units`.
        valid: Shape [H, W].
        bands: One per row of `values`.
        units: Unit of the backscatter.
    """
    radar = is_backscatter(bands)
    if radar.all():
        return to_db(values, valid, units)
    scaled = np.array(values, dtype=np.float32)
    good = np.asarray(valid, dtype=np.bool_) & np.isfinite(scaled).all(axis=0)
    if radar.any():
        scaled[radar], good = to_db(scaled[radar], good, units)
    return scaled, good


def to_linear(values: NDArray[Any], bands: Sequence[Band], units: Units) -> FloatArray:
    """What may be averaged: power of backscatter in `units`, coherence as it is; float32 [..., B, H, W]."""
    return _rows(values, bands, lambda data: to_power(data, units))


def from_linear(values: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    """Back from averages to the scale of the bands: dB of power, coherence as it is; float32 [..., B, H, W]."""
    return _rows(values, bands, from_power)


def _rows(values: NDArray[Any], bands: Sequence[Band], convert: Callable[[NDArray[Any]], FloatArray]) -> FloatArray:
    radar = is_backscatter(bands)
    if radar.all():
        return convert(values)
    result = np.array(values, dtype=np.float32)
    result[..., radar, :, :] = convert(result[..., radar, :, :])
    return result


def normalise(db: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    """Clip to the card's range and standardise by the card's fixed mean and deviation, never by the scene's.

    Args:
        db: Shape [B, H, W], dB (coherence plain), in card order. A band that isn't there is all nan.
        valid: Shape [H, W].
        bands: The card's bands.

    Returns:
        float32 [B, H, W]; 0 (the mean) wherever a value is invalid or missing.
    """

    def column(values: list[float]) -> FloatArray:
        return np.array(values, dtype=np.float32).reshape(-1, 1, 1)

    low, high = column([b.clip[0] for b in bands]), column([b.clip[1] for b in bands])
    x: FloatArray = np.clip(np.asarray(db, dtype=np.float32), low, high)
    # In place: for a whole strip, memory for each step takes longer than the step.
    x -= column([b.mean for b in bands])
    x /= column([b.std for b in bands])
    np.copyto(x, np.float32(0), where=~(np.asarray(valid, dtype=np.bool_) & np.isfinite(x)))
    return x


def prepare(
    values: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], units: Units
) -> tuple[FloatArray, BoolArray]:
    """From file values to network input: `to_scale`, then `normalise`.

    Args:
        values: Shape [B, H, W], in `units`.
        valid: Shape [H, W].
        bands: The card's bands, one per row of `values`.
        units: Unit of `values`, decided.

    Returns:
        Network input float32 [B, H, W], and validity [H, W].
    """
    scaled, good = to_scale(values, valid, bands, units)
    return normalise(scaled, good, bands), good
