"""Convert backscatter to dB, clip and standardise it, with validity; coherence keeps its values.

Inference and training both use this module, so that both see the same numbers. Backscatter must be averaged and
resampled in linear power: see `to_linear` and `from_linear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.radiometry.rules import NUMPY, card_columns, decibels, possible, standardised
from backend.radiometry.units import Units, exactly_zero
from backend.raster.band_names import acquisition


def is_backscatter(bands: Sequence[Band]) -> BoolArray:
    """Return which bands are backscatter, bool [B]; the others are coherence (0 to 1), which has no dB and no gain."""
    return np.array([band.unit != "coherence" for band in bands], dtype=np.bool_)


def rows_for_units(bands: Sequence[Band]) -> list[int]:
    """Return the positions of the backscatter bands of the first acquisition, by which units are decided."""
    rows = [row for row, radar in enumerate(is_backscatter(bands)) if radar]
    return [row for row in rows if acquisition(bands[row].name) == acquisition(bands[rows[0]].name)]


def to_power(values: NDArray[Any], units: Units) -> FloatArray:
    """Return linear power, float32, of values of any shape in `units` (not AUTO)."""
    data = np.asarray(values, dtype=np.float32)
    if units is Units.DB:
        return np.power(np.float32(10), data / np.float32(10), dtype=np.float32)
    return np.square(data) if units is Units.AMPLITUDE else data


def from_power(power: NDArray[Any]) -> FloatArray:
    """Return dB, float32, of linear power of any shape; -inf or nan where power is not above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result: FloatArray = np.float32(10) * np.log10(np.asarray(power, dtype=np.float32))
    return result


def to_db(
    values: NDArray[Any], valid: NDArray[Any], units: Units, level_known: bool = True
) -> tuple[FloatArray, BoolArray]:
    """Return backscatter in dB and its validity.

    Args:
        values: Shape [B, H, W], in `units`.
        valid: Validity in the file, shape [H, W].
        units: Unit of `values`, not AUTO.
        level_known: False for values whose level in dB has no meaning, and which no range limits.

    Returns:
        dB, float32 [B, H, W], and validity, bool [H, W]: valid in the file, and in every band above 0 in linear units
        and within DB_RANGE: -80 or -300 dB is the floor of a program that took a logarithm of 0. With two or more
        bands in dB, a pixel of exactly 0 in all bands is invalid too: exports of SNAP and Earth Engine have such
        borders without a nodata tag, and measured polarisations are never both exactly 0 dB.

    Raises:
        ValueError: `units` is AUTO.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        db = decibels(np.asarray(values, dtype=np.float32), units, NUMPY)
    good = np.array(valid, dtype=np.bool_)
    for band in db:  # one by one, as far as the processor's cache holds them; what isn't finite is in no range
        good &= possible(band) if level_known else np.isfinite(band)
    if units is Units.DB and len(db) > 1:
        good &= ~exactly_zero(db)
    return db, good


def to_scale(
    values: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], units: Units, level_known: bool = True
) -> tuple[FloatArray, BoolArray]:
    """Return backscatter in dB and coherence unchanged, float32 [B, H, W], and validity as of `to_db`.

    Args:
        values: Shape [B, H, W]; backscatter in `units`.
        valid: Shape [H, W].
        bands: One for each of `values`.
        units: Unit of the backscatter.
        level_known: As of `to_db`.
    """
    radar = is_backscatter(bands)
    if radar.all():
        return to_db(values, valid, units, level_known)
    scaled = np.array(values, dtype=np.float32)
    good = np.asarray(valid, dtype=np.bool_) & np.isfinite(scaled).all(axis=0)
    if radar.any():
        scaled[radar], good = to_db(scaled[radar], good, units, level_known)
    return scaled, good


def to_linear(values: NDArray[Any], bands: Sequence[Band], units: Units) -> FloatArray:
    """Return values that may be averaged: backscatter as linear power, coherence unchanged; float32 [..., B, H, W]."""
    return _rows(values, bands, lambda data: to_power(data, units))


def from_linear(values: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    """Return the inverse of `to_linear`: dB of linear power, coherence unchanged; float32 [..., B, H, W]."""
    return _rows(values, bands, from_power)


def _rows(values: NDArray[Any], bands: Sequence[Band], convert: Callable[[NDArray[Any]], FloatArray]) -> FloatArray:
    radar = is_backscatter(bands)
    if radar.all():
        return convert(values)
    result = np.array(values, dtype=np.float32)
    result[..., radar, :, :] = convert(result[..., radar, :, :])
    return result


def normalise(db: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    """Clip and standardise by the fixed values of the card, never by statistics of the scene.

    Args:
        db: Shape [B, H, W], dB (coherence unchanged), in card order; a missing band is all nan.
        valid: Shape [H, W].
        bands: Bands of the card.

    Returns:
        float32 [B, H, W]; 0 (the mean) where a value is invalid or missing.
    """
    x = _standardise(db, bands)
    np.copyto(x, np.float32(0), where=~(np.asarray(valid, dtype=np.bool_) & np.isfinite(x)))
    return x


def _standardise(db: NDArray[Any], bands: Sequence[Band]) -> FloatArray:
    x: FloatArray = standardised(np.asarray(db, dtype=np.float32), card_columns(bands), NUMPY)
    return x


def prepare(
    values: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], units: Units
) -> tuple[FloatArray, BoolArray]:
    """Convert file values to network input: `to_scale`, then `normalise`.

    Args:
        values: Shape [B, H, W], in `units`.
        valid: Shape [H, W].
        bands: Bands of the card, one for each of `values`.
        units: Unit of `values`, not AUTO.

    Returns:
        Network input, float32 [B, H, W], and validity, bool [H, W].
    """
    scaled, good = to_scale(values, valid, bands, units)
    x = _standardise(scaled, bands)
    np.copyto(x, np.float32(0), where=~good)  # every band of a valid pixel is finite
    return x, good
