"""Recognise measurements under an untold factor, and pictures: what digital numbers are mistaken for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import InputError
from backend.radiometry.checks import OK
from backend.radiometry.plausibility import check_levels
from backend.radiometry.units import DB_LOW, DB_RANGE, Units

FACTORS = (0.01, 0.1, 0.001)
# A picture uses most of its grey levels.
PICTURE_RANGE, DARKEST, BRIGHTEST = 60, 0, 255


def better_refusal(
    error: InputError, sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str], kinds: Sequence[str]
) -> InputError:
    """Return a refusal that says what the values are, if that can be recognised; otherwise `error`.

    Args:
        error: Refusal of `decide_units` or `check_units`.
        sample: As for these.
        valid: Validity [H, W].
        names: Names of the bands.
        kinds: Data types of the bands in the file, such as "int16".
    """
    values = sample[:, valid]
    values = values[np.isfinite(values)]
    if values.size == 0:
        return error
    low, median, high = (float(v) for v in np.percentile(values, (1, 50, 99)))
    factor = _factor(sample, valid, names) if low < DB_RANGE[0] else None
    if factor is not None:
        return InputError(
            f"The values are dB times {1 / factor:g} without a scale tag: they run from {low:.6g} to {high:.6g} "
            f"(1 to 99 %), median {median:.6g}.",
            f"Add the tag with gdal_edit.py -scale {factor:g} and the name of the file, then run again; or divide by "
            f"{1 / factor:g} in the raster calculator.",
        )
    whole = bool((values == np.round(values)).all())
    picture = all(kind == "uint8" for kind in kinds) or (whole and values.max() == BRIGHTEST)
    if picture and values.min() >= DARKEST and values.max() <= BRIGHTEST and values.max() > PICTURE_RANGE:
        return InputError(
            f"This is a picture, not measurements: grey levels of {values.min():.0f} to {values.max():.0f} (8 bits), "
            f"median {median:.0f}, stretched for viewing.",
            "Give the raster from which it was made, or export that again with its raw values (in QGIS Export > Save "
            "As > Raw data, in Earth Engine without visualize): a stretch can't be undone. If the values are dB or "
            "power under a factor, give the file its scale and offset (gdal_edit.py -scale … -offset …).",
        )
    return error


def _factor(sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str]) -> float | None:
    """Return the factor that makes plausible dB of the values."""
    for factor in FACTORS:
        db = sample * np.float32(factor)
        values = db[:, valid]
        low, high = np.nanpercentile(values, (1, 99))
        if not (DB_RANGE[0] < low < DB_LOW and high < DB_RANGE[1]):
            continue
        if all(check.verdict == OK for check in check_levels(db, valid, names, Units.DB)):
            return factor
    return None
