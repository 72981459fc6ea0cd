"""Compare two class maps strip by strip: count pairs of classes, and write the number of each transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.tally import Tally
from backend.change.previews import Preview
from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.output.sink import RasterSink

# Called with the number of rows done; raises Cancelled when the run was cancelled.
Advance = Callable[[int], None]
# Colour of pixels without a class in previews.
NOTHING = -(2**62)


@dataclass
class PairCounts:
    """Hold the counts of pairs of classes of two maps.

    Attributes:
        tally: Pairs of values, by pixels and by area.
        left_out: Number of pixels without a pair, by reason.
        previews: Small maps of values, earlier and later.
    """

    tally: Tally = field(default_factory=Tally)
    left_out: dict[str, int] = field(default_factory=dict)
    previews: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def before(self) -> list[int]:
        """Return the values of the earlier map, ascending."""
        return sorted(self.tally.compared_areas())

    @property
    def after(self) -> list[int]:
        """Return the values of the later map, ascending."""
        return sorted(self.tally.reference_values())

    def matrices(self) -> tuple[IntArray, DoubleArray]:
        """Return pixels and areas, [value before, value after]."""
        values = sorted({*self.before, *self.after})
        pixels, areas = self.tally.matrices(values)
        rows, columns = ([values.index(value) for value in side] for side in (self.before, self.after))
        # The tally's rows are the second map.
        return pixels.T[np.ix_(rows, columns)], areas.T[np.ix_(rows, columns)]


def count_pairs(before: ClassRaster, after: ClassRaster, areas: PixelAreas, advance: Advance) -> PairCounts:
    """Count the pairs of values of two maps on one grid.

    Raises:
        InputError: A file can't be read, or has too many values for a map of classes.
    """
    result, grid = PairCounts(), before.grid
    pictures = Preview(grid.height, grid.width), Preview(grid.height, grid.width)
    left = dict.fromkeys(
        ("pixels without a class in the later map", "pixels without a class in the earlier map", "ignored pixels"), 0
    )
    for top, bottom in before.strips():
        (first, there, passed), (second, here, over) = before.read(top, bottom), after.read(top, bottom)
        both = there & here
        size = np.broadcast_to(areas.rows(top, bottom), first.shape)
        result.tally.add_pairs(first[both], second[both], size[both])
        ignored = passed | over
        for what, mask in zip(left, (there & ~here & ~over, here & ~there & ~passed, ignored)):
            left[what] += int(np.count_nonzero(mask))
        pictures[0].add(top, np.where(there, first, NOTHING))
        pictures[1].add(top, np.where(here, second, NOTHING))
        advance(bottom - top)
    result.left_out = {what: count for what, count in left.items() if count}
    result.previews = pictures[0].values(), pictures[1].values()
    return result


@dataclass(frozen=True)
class CodeTable:
    """Turn pairs of values into numbers of transitions.

    Attributes:
        before: Values of the earlier map, ascending.
        after: Values of the later map, ascending.
        codes: uint8 [before, after].
    """

    before: IntArray
    after: IntArray
    codes: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        counts: PairCounts,
        common: tuple[Mapping[int, int], Mapping[int, int]],
        codes: Mapping[tuple[int, int], int],
    ) -> CodeTable:
        """Make a table of the values that occur.

        Args:
            counts: Counts of the two maps.
            common: Value of the common legend by value, of either map.
            codes: Number of each pair of common values.
        """
        first, second = counts.before, counts.after
        table = [[codes.get((common[0][b], common[1][a]), 0) for a in second] for b in first]
        return cls(np.array(first), np.array(second), np.array(table, dtype=np.uint8))

    def apply(self, first: IntArray, second: IntArray, both: BoolArray) -> NDArray[np.uint8]:
        """Return the number of each pixel, 0 where `both` is false; values are those the table was made of."""
        result = np.zeros(first.shape, dtype=np.uint8)
        rows, columns = np.searchsorted(self.before, first[both]), np.searchsorted(self.after, second[both])
        result[both] = self.codes[rows, columns]
        return result


def write_codes(
    maps: tuple[ClassRaster, ClassRaster], table: CodeTable, sink: RasterSink, advance: Advance
) -> NDArray[np.uint8]:
    """Write the number of the transition of each pixel, and return a small map of them, uint8 [rows, columns]."""
    before, after = maps
    picture = Preview(before.grid.height, before.grid.width)
    for top, bottom in before.strips():
        (first, there, _), (second, here, _) = before.read(top, bottom), after.read(top, bottom)
        codes = table.apply(first, second, there & here)
        sink.write(codes[None])
        picture.add(top, codes)
        advance(bottom - top)
    return picture.values()
