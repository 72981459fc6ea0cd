"""Collect the counts of a comparison, and refuse data that can't be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable, Protocol

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.tally import Tally
from backend.core.errors import InputError

# Called with the number of rows done; raises Cancelled when the run was cancelled.
Advance = Callable[[int], None]
Bounds = tuple[float, float, float, float]


@dataclass
class Comparison:
    """Hold the counts of a comparison.

    Attributes:
        tally: Mapped pixels, and pairs of pixels.
        units: Sampling units as (map value, reference value).
        unit: Description of a sampling unit; empty if the reference is a census.
        mapped: Area of each map value in the region that the units are a sample of.
        left_out: Number of items that were not compared, by reason.
        warnings: Doubts about the comparison.
    """

    tally: Tally = field(default_factory=Tally)
    units: list[tuple[int, int]] = field(default_factory=list)
    unit: str = ""
    mapped: dict[int, float] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def relabel(self, values: Mapping[int, int]) -> None:
        """Replace reference values in the pairs and the units."""
        self.tally.relabel(values)
        self.units = [(row, values.get(column, column)) for row, column in self.units]

    def leave_out(self, what: str, count: int) -> None:
        """Count items that are not compared."""
        if count:
            self.left_out[what] = self.left_out.get(what, 0) + int(count)


class Reference(Protocol):
    """Hold reference data of a map.

    Attributes:
        passes: Number of times `compare` reads the rows of the map.
    """

    passes: int

    def compare(self, class_map: ClassRaster, areas: PixelAreas, advance: Advance) -> Comparison:
        """Compare with a map and count."""


def check_bounds(class_map: Bounds, reference: Bounds | None, name: str) -> None:
    """Refuse a reference that does not overlap the map, before either is read.

    Args:
        class_map: xmin, ymin, xmax, ymax of the map.
        reference: The same of the reference, in the map's CRS; None where unknown.
        name: Name of the reference.

    Raises:
        InputError: The bounds don't touch.
    """
    if reference is None or not all(map(math.isfinite, reference)):
        return
    apart = (
        reference[0] > class_map[2]
        or reference[2] < class_map[0]
        or reference[1] > class_map[3]
        or reference[3] < class_map[1]
    )
    if apart:
        raise InputError(
            f"{name} does not overlap the map: it covers {_corners(reference)}, the map {_corners(class_map)} "
            "(west, south, east, north in the map's coordinate system).",
            "Check the coordinate systems of both.",
        )


def _corners(bounds: Bounds) -> str:
    return " ".join(f"{value:.10g}" for value in bounds)


def check_overlap(result: Comparison, reference: str, names: Mapping[int, str]) -> None:
    """Check that pixels were compared and that map and reference share a class.

    Raises:
        InputError: The map is empty, no pixel was compared, or no class is in both.
    """
    if not result.tally.mapped:
        raise InputError("The map has no valid pixel.", "Check its nodata value and the values to ignore.")
    found = result.tally.reference_values()
    if not found:
        left = "; ".join(f"{what}: {count}" for what, count in result.left_out.items())
        raise InputError(
            f"No pixel of the map has a value in {reference} ({left}).",
            "Check that both cover the same place, their coordinate systems, nodata and the values to ignore.",
        )
    if not set(found) & set(result.tally.mapped):
        raise InputError(
            f"The map and the reference have no class in common: {_listed(sorted(result.tally.mapped), names)} "
            f"against {_listed(found, names)}.",
            'Map reference values to map values, such as "1=80,2=10".',
        )


def _listed(values: Sequence[int], names: Mapping[int, str]) -> str:
    shown = ", ".join(f"{value} {names[value]}" if value in names else str(value) for value in values[:12])
    return shown + (", …" if len(values) > 12 else "")
