"""Draw pixels at random within each class of a map, at least a distance apart, in strips.

Candidates are drawn uniformly on the ground: places in the running area of each class, as for the sample of
`backend.accuracy.reference_raster`. They are accepted in random order, so that each class has a simple random sample of
its pixels but for those that lie too close to another point. A class that falls short is drawn from again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Callable

import numpy as np

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.tally import Tally
from backend.core.arrays import BoolArray, DoubleArray, IntArray
from backend.design.spacing import Spaced, positions

# Passes over the map at most, and candidates for each missing point in each of them.
CANDIDATES = (4, 40, 400)
MOST_CANDIDATES = 200_000
# All pixels of a class that has no more than this are candidates.
SMALL = 20_000

Strip = tuple[IntArray, BoolArray, DoubleArray]


@dataclass(frozen=True)
class Drawn:
    """Hold points of a sample: class value, row and column of each, int64 [n]."""

    values: IntArray
    rows: IntArray
    columns: IntArray


def count(class_map: ClassRaster, areas: PixelAreas, advance: Callable[[int], None]) -> Tally:
    """Count pixels and areas of each class in one pass."""
    tally = Tally()
    for _, (values, good, size) in _strips(class_map, areas, advance):
        tally.add_mapped(values[good], size[good])
    return tally


class Sampler:
    """Draw the points of all classes.

    Args:
        class_map: Map.
        areas: Areas of its pixels.
        tally: Result of `count`.
        distance: Least distance of two points in metres (in pixels without a CRS).
        seed: Equal seeds draw equal points.
    """

    def __init__(self, class_map: ClassRaster, areas: PixelAreas, tally: Tally, distance: float, seed: int) -> None:
        self._map, self._areas, self._mapped, self._seed = class_map, areas, tally.mapped, seed
        self._spaced = Spaced(distance)
        self._taken: dict[int, set[tuple[int, int]]] = {}

    def draw(self, wanted: Mapping[int, int], advance: Callable[[int], None]) -> Drawn:
        """Draw points of each class; fewer where the class has no more that are far enough apart.

        Args:
            wanted: Points by class value.
            advance: Called with the rows done of each pass.
        """
        self._taken = {value: set() for value in wanted}
        for number, factor in enumerate(CANDIDATES):
            missing = {value: size - len(self._taken[value]) for value, size in wanted.items()}
            missing = {value: size for value, size in missing.items() if size > 0}
            # Every pixel of a small class was tried.
            missing = {v: n for v, n in missing.items() if not number or self._mapped[v][0] > SMALL}
            if not missing:
                break
            generator = np.random.default_rng([self._seed, number])
            found = self._candidates(missing, factor, generator, advance)
            # The rarest class first: large ones find other places.
            for value in sorted(missing, key=lambda value: (self._mapped[value][1], value)):
                self._accept(value, found[value], wanted[value])
        return self._result()

    def _candidates(
        self, missing: Mapping[int, int], factor: int, generator: np.random.Generator, advance: Callable[[int], None]
    ) -> dict[int, IntArray]:
        """Return candidates of each class in the order in which they are tried, rows and columns [2, n]."""
        waiting: dict[int, DoubleArray] = {}
        order: dict[int, IntArray] = {}
        ends = dict.fromkeys(missing, 0.0)
        for value, number in missing.items():
            pixels, whole = self._mapped[value]
            if pixels > SMALL:
                # Slightly less than the area, since this pass sums it in another order.
                places = generator.uniform(0, whole * (1 - 1e-9), min(MOST_CANDIDATES, max(100, number * factor)))
                order[value] = np.argsort(places, kind="stable")
                waiting[value] = places[order[value]]
        parts: dict[int, list[DoubleArray]] = {value: [] for value in missing}
        for top, (values, good, size) in _strips(self._map, self._areas, advance):
            for value in missing:
                rows, columns = np.nonzero(good & (values == value))
                if not rows.size:
                    continue
                area = size[rows, columns]
                if value not in waiting:
                    parts[value].append(np.stack((rows + top, columns, area)))
                    continue
                running = ends[value] + np.cumsum(area)
                ends[value] = float(running[-1])
                upto = int(np.searchsorted(waiting[value], running[-1]))
                hit = np.minimum(np.searchsorted(running, waiting[value][:upto], side="right"), running.size - 1)
                parts[value].append(np.stack((rows[hit] + top, columns[hit], area[hit])))
                waiting[value] = waiting[value][upto:]
        return {value: _tried(np.concatenate(parts[value], axis=1), order.get(value), generator) for value in missing}

    def _accept(self, value: int, candidates: IntArray, wanted: int) -> None:
        taken = self._taken[value]
        places = positions(self._map.grid, *candidates)
        for (row, column), place in zip(candidates.T.tolist(), places.tolist()):
            if len(taken) == wanted:
                return
            if (row, column) not in taken and self._spaced.accept(place):
                taken.add((row, column))

    def _result(self) -> Drawn:
        """Return the points in random order, from which nobody can tell their class."""
        rows = sorted((value, *place) for value, places in self._taken.items() for place in places)
        shuffled = np.random.default_rng([self._seed, len(CANDIDATES)]).permutation(
            np.array(rows, dtype=np.int64).reshape(-1, 3)
        )
        return Drawn(*shuffled.T)


def _tried(found: DoubleArray, order: IntArray | None, generator: np.random.Generator) -> IntArray:
    """Return rows and columns [2, n] in the order in which they are tried.

    Args:
        found: Rows, columns and areas of candidates, [3, n], in the order of the map.
        order: Number of each candidate's draw; None if all pixels of a class are candidates.
        generator: Generator of random numbers.
    """
    if order is None:
        # Drawing one after another by area without putting back: order by exponential waiting times (Efraimidis and
        # Spirakis 2006, Information Processing Letters 97, 181-185).
        tried = np.argsort(generator.exponential(size=found.shape[1]) / np.maximum(found[2], 1e-300))
    else:
        tried = np.argsort(order[: found.shape[1]])
    result: IntArray = found[:2, tried].astype(np.int64)
    return result


def _strips(class_map: ClassRaster, areas: PixelAreas, advance: Callable[[int], None]) -> Iterator[tuple[int, Strip]]:
    """Yield first row, and values, validity and pixel areas of each strip, [rows, width] each."""
    for top, bottom in class_map.strips():
        values, good, _ = class_map.read(top, bottom)
        yield top, (values, good, np.broadcast_to(areas.rows(top, bottom), values.shape))
        advance(bottom - top)
