"""Bring the dates of a series to one grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rasterio.warp import transform_bounds

from backend.core.context import Context
from backend.raster.grid import DEGREES, Grid
from backend.series.members import Member
from backend.series.origin import differing
from backend.series.placed import PlacedSource
from backend.series.target import common_grid


@dataclass(frozen=True)
class Series:
    """Hold dates of one place on one grid.

    Attributes:
        members: The dates.
        placed: Each on the grid, in linear power.
        grid: Grid of the output.
    """

    members: tuple[Member, ...]
    placed: tuple[PlacedSource, ...]
    grid: Grid

    @property
    def polarisations(self) -> tuple[str, ...]:
        """Return the bands of each date."""
        return self.members[0].polarisations


def place(members: Sequence[Member], extent: Sequence[float] | None, degrees: bool, context: Context) -> Series:
    """Choose the grid, and say what lies where.

    Args:
        members: The dates.
        extent: In the CRS of the first; None for all.
        degrees: Whether the extent is in degrees instead.
        context: Receives messages.

    Raises:
        InputError: They are of different places, or one has no place.
    """
    grids = [member.source.grid for member in members]
    grid = common_grid(grids, [member.name for member in members])
    if extent is not None:
        grid = grid.offset(*grid.window(transform_bounds(DEGREES, grid.crs, *extent) if degrees else extent))
    placed = tuple(PlacedSource(m.source, m.bands, m.units, grid) for m in members)
    log = context.reporter.log
    units = ", ".join(f"{unit}: {count}" for unit, count in Counter(m.units.value for m in members).items())
    log("info", f"Dates: {len(members)} ({units}). Statistics are of linear power.")
    warped = [member.name for member, each in zip(members, placed) if each.offset is None]
    if warped:
        log(
            "info",
            f"{len(warped)} of {len(members)} lie on another grid than {members[0].name}; they are warped to it in "
            f"linear power ({grid.crs}, {grid.width} x {grid.height} pixels).",
        )
    unknown = [member.name for member in members if member.span is None]
    if unknown:
        log("info", f"The date is unknown of {len(unknown)}, such as {unknown[0]}.")
    if differing(members):
        log("warning", differing(members))
    return Series(tuple(members), placed, grid)
