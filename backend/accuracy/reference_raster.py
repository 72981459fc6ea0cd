"""Compare a class map with a reference raster: all pixels, and optionally a random sample of them."""

from __future__ import annotations

import numpy as np

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.compare import Advance, Comparison
from backend.accuracy.stratified import allocate
from backend.core.errors import InputError

# Each takes about a hundred bytes.
MOST_SAMPLE = 1_000_000


class RasterReference:
    """Compare a reference raster on the map's grid: a census, and a sample drawn from it if a size is given.

    Args:
        raster: The reference.
        size: Pixels to draw, stratified by map class; 0 for none.
        seed: Seed of the draw.

    Raises:
        InputError: The sample is larger than MOST_SAMPLE.
    """

    def __init__(self, raster: ClassRaster, size: int = 0, seed: int = 0) -> None:
        if size > MOST_SAMPLE:
            raise InputError(
                f"A sample of {size} pixels is asked for; {MOST_SAMPLE} are the most.",
                "Draw fewer: with 10,000 the standard error of the overall accuracy is below half a percent.",
            )
        self._raster, self._size, self._seed = raster, size, seed
        self.passes = 2 if size else 1

    def compare(self, class_map: ClassRaster, areas: PixelAreas, advance: Advance) -> Comparison:
        """Count all pixels that both have, then draw the sample from them."""
        result = Comparison()
        for top, bottom in class_map.strips():
            values, good, ignored = class_map.read(top, bottom)
            reference, there, passed_over = self._raster.read(top, bottom)
            size = np.broadcast_to(areas.rows(top, bottom), values.shape)
            both = good & there
            result.tally.add_mapped(values[good], size[good])
            result.tally.add_pairs(values[both], reference[both], size[both])
            result.leave_out("pixels that are nodata on the map", np.count_nonzero(~good & ~ignored))
            result.leave_out("pixels with a map value to ignore", np.count_nonzero(ignored))
            result.leave_out("pixels with a reference value to ignore", np.count_nonzero(good & passed_over))
            result.leave_out(
                "map pixels without a reference (outside it, or nodata there)",
                np.count_nonzero(good & ~there & ~passed_over),
            )
            advance(bottom - top)
        if self._size:
            self._draw(result, class_map, areas, advance)
        return result

    def _draw(self, result: Comparison, class_map: ClassRaster, areas: PixelAreas, advance: Advance) -> None:
        """Draw points uniformly on the ground within each stratum: pixels by their area, with replacement.

        The share of units then is an unbiased estimate of the share of area in any projection, and the variance
        formula, which has no finite population correction, is exact.
        """
        result.mapped = result.tally.compared_areas()
        generator = np.random.default_rng(self._seed)
        sizes = allocate(self._size, np.array(list(result.mapped.values())))
        # Slightly less than the area, since the second pass sums it in another order.
        waiting = {
            value: np.sort(generator.uniform(0, area * (1 - 1e-9), count))
            for (value, area), count in zip(result.mapped.items(), sizes)
        }
        passed = dict.fromkeys(result.mapped, 0.0)
        units: list[tuple[int, int]] = []
        for top, bottom in class_map.strips():
            values, good, _ = class_map.read(top, bottom)
            reference, there, _ = self._raster.read(top, bottom)
            size = np.broadcast_to(areas.rows(top, bottom), values.shape)
            both = good & there
            for value in result.mapped:
                here = both & (values == value)
                if not here.any():
                    continue
                ends = passed[value] + np.cumsum(size[here])
                passed[value] = float(ends[-1])
                count = int(np.searchsorted(waiting[value], ends[-1]))
                drawn = np.searchsorted(ends, waiting[value][:count], side="right")
                units += [(value, int(label)) for label in reference[here][np.minimum(drawn, ends.size - 1)]]
                waiting[value] = waiting[value][count:]
            advance(bottom - top)
        result.units, result.unit = units, "pixels drawn at random within each map class"
