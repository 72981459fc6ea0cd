"""State the rules of conversion in operations that NumPy and PyTorch share: a processor and a card apply the same.

Operators work on arrays and tensors alike; what has another name in each is in `Operations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import FloatArray
from backend.radiometry.units import DB_RANGE, Units


@dataclass(frozen=True)
class Operations:
    """Hold what the rules need of NumPy or of PyTorch.

    Attributes:
        log10: Of float32.
        clip: Of values, lowest and highest, all broadcast together; in new memory.
        isfinite: Of any type.
        as_float: Returns float32, the same memory where it is that already.
        constant: Makes a constant, where the values are, of a NumPy array.
        where: Returns float32 values where a condition holds, 0 elsewhere.
        stack: Joins arrays of one shape along a new first axis.
    """

    log10: Callable[[Any], Any]
    clip: Callable[[Any, Any, Any], Any]
    isfinite: Callable[[Any], Any]
    as_float: Callable[[Any], Any]
    constant: Callable[[NDArray[Any]], Any]
    where: Callable[[Any, Any], Any]
    stack: Callable[[list[Any]], Any]


NUMPY = Operations(
    np.log10,
    np.clip,
    np.isfinite,
    lambda values: np.asarray(values, dtype=np.float32),
    lambda values: values,
    lambda condition, values: np.where(condition, values, np.float32(0)),
    np.stack,
)


def decibels(values: Any, units: Units, do: Operations) -> Any:
    """Return dB of backscatter in `units`, float32 of any shape; -inf or nan where it is not above 0 in linear units.

    Raises:
        ValueError: `units` is AUTO.
    """
    if units is Units.AUTO:
        raise ValueError("units must be decided before conversion")
    if units is Units.DB:
        return values
    return do.log10(values) * (20 if units is Units.AMPLITUDE else 10)


def possible(db: Any) -> Any:
    """Return where dB lie within DB_RANGE, which nothing does that isn't finite."""
    return (db >= DB_RANGE[0]) & (db <= DB_RANGE[1])


def card_columns(bands: Sequence[Band]) -> FloatArray:
    """Return lowest, highest, mean and standard deviation of each band by the card, float32 [4, B, 1, 1]."""
    told = [(*band.clip, band.mean, band.std) for band in bands]
    return np.array(told, dtype=np.float32).T.reshape(4, -1, 1, 1)


def standardised(db: Any, columns: Any, do: Operations) -> Any:
    """Return values clipped and standardised, float32 [B, H, W], in new memory.

    Args:
        db: float32 [B, H, W].
        columns: Of `card_columns`, where the values are.
        do: NumPy's or PyTorch's.
    """
    low, high, mean, std = columns
    x = do.clip(db, low, high)
    # In place: for a strip, allocating memory takes longer than the arithmetic.
    x -= mean
    x /= std
    return x
