"""Test two dates for change, strip by strip, and sum up what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from backend.accuracy.areas import PixelAreas
from backend.card.model_card import LandCoverClass
from backend.change.date_pair import DatePair
from backend.change.multilook import MultiLooked, multilook
from backend.change.previews import Preview
from backend.change.ratio_test import change_significance, signed_deviation
from backend.core.arrays import FloatArray
from backend.raster.grid import Grid

NOTHING, SAME, DARKER, BRIGHTER, BOTH = 0, 1, 2, 3, 4
OUTCOMES = (
    LandCoverClass(SAME, "No significant change", "#ececea"),
    LandCoverClass(DARKER, "Backscatter fell", "#2166ac"),
    LandCoverClass(BRIGHTER, "Backscatter rose", "#d95f02"),
    LandCoverClass(BOTH, "One polarisation fell, the other rose", "#7b3294"),
)
# Pixels of a strip; each takes about 400 bytes while it is worked on.
STRIP_PIXELS = 2**19
LEAST_ROWS = 16
# Least looks that the test is good for: below, its series doesn't hold.
LEAST_LOOKS = 0.6


@dataclass(frozen=True)
class SarRows:
    """Hold the results for rows `top` to `bottom`.

    Attributes:
        top: First row.
        bottom: Last row, exclusive.
        outcome: Values of OUTCOMES, 0 for nodata, uint8 [rows, width].
        decibels: Change of each polarisation, float32 [polarisations, rows, width]; NaN for nodata.
        p_value: Probability of such a ratio without change, float32 [rows, width]; NaN for nodata.
        levels: Mean power of the first polarisation in dB, earlier and later, float32 [2, rows, width]; NaN for nodata.
    """

    top: int
    bottom: int
    outcome: NDArray[np.uint8]
    decibels: FloatArray
    p_value: FloatArray
    levels: FloatArray


def significant_rows(pair: DatePair, size: int, looks: Sequence[float], level: float) -> Iterator[SarRows]:
    """Test all rows from top to bottom; memory depends on the width alone.

    Args:
        pair: The two dates.
        size: Side of the window.
        looks: Looks of a whole window, for each polarisation.
        level: Significance level.
    """
    height, width, reach = pair.grid.height, pair.grid.width, size // 2
    step = max(LEAST_ROWS, STRIP_PIXELS // width)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        first, last = max(0, top - reach), min(height, bottom + reach)
        averaged = multilook(*pair.read(first, last), size)
        kept = np.s_[..., top - first : bottom - first, :]
        part = MultiLooked(averaged.power[kept], averaged.texture[kept], averaged.share[kept], averaged.valid[kept])
        yield examine_rows(part, looks, level, top)


def examine_rows(part: MultiLooked, looks: Sequence[float], level: float, top: int = 0) -> SarRows:
    """Test averaged rows; arguments as of `significant_rows`.

    Texture lowers the looks of a mean: it is a weighted mean of speckle, with the power of the ground as weights.
    """
    ratios = np.log(part.power[1] / part.power[0])
    local = [
        np.maximum(number * part.share / (1 + texture), LEAST_LOOKS) for number, texture in zip(looks, part.texture)
    ]
    chance = change_significance(list(ratios), local)
    deviation = np.stack([signed_deviation(ratio, number) for ratio, number in zip(ratios, local)])
    nothing = ~part.valid
    return SarRows(
        top,
        top + nothing.shape[0],
        _outcome(deviation, (chance < level) & part.valid, part.valid, level),
        np.where(nothing, np.nan, ratios * np.float32(10 / np.log(10))).astype(np.float32),
        np.where(nothing, np.nan, chance).astype(np.float32),
        np.where(nothing, np.nan, 10 * np.log10(part.power[:, 0])).astype(np.float32),
    )


def _outcome(
    deviation: FloatArray, changed: NDArray[np.bool_], valid: NDArray[np.bool_], level: float
) -> NDArray[np.uint8]:
    """Return values of OUTCOMES: the direction is that of the clearer polarisation, unless both are significant."""
    strongest = np.take_along_axis(deviation, np.abs(deviation).argmax(axis=0)[None], axis=0)[0]
    limit = -float(ndtri(level / 2))
    opposed = (deviation > limit).any(axis=0) & (deviation < -limit).any(axis=0)
    result = np.where(valid, np.uint8(SAME), np.uint8(NOTHING))
    result[changed] = np.where(strongest[changed] > 0, np.uint8(BRIGHTER), np.uint8(DARKER))
    result[changed & opposed] = BOTH
    return result


class SarSums:
    """Sum up pixels and areas of each outcome, and collect small pictures."""

    def __init__(self, grid: Grid) -> None:
        self.pixels = dict.fromkeys((item.value for item in OUTCOMES), 0)
        self.areas = dict.fromkeys((item.value for item in OUTCOMES), 0.0)
        self.outcome = Preview(grid.height, grid.width)
        self.levels = Preview(grid.height, grid.width), Preview(grid.height, grid.width)

    def add(self, rows: SarRows, areas: PixelAreas) -> None:
        """Add rows."""
        size = np.broadcast_to(areas.rows(rows.top, rows.bottom), rows.outcome.shape)
        counts = np.bincount(rows.outcome.ravel(), minlength=len(OUTCOMES) + 1)
        sums = np.bincount(rows.outcome.ravel(), weights=size.ravel(), minlength=len(OUTCOMES) + 1)
        for value in self.pixels:
            self.pixels[value] += int(counts[value])
            self.areas[value] += float(sums[value])
        self.outcome.add(rows.top, rows.outcome)
        for picture, level in zip(self.levels, rows.levels):
            picture.add(rows.top, level)
