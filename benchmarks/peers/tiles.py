"""How a contender lays tiles over a raster, and where in its map the results of two tiles meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tiles:
    """What a contender is told.

    Attributes:
        tile: Side of a tile in pixels.
        overlap: Pixels shared by neighbouring tiles.
        batch: Tiles given to the network at once.
        blend: Name of the weighting of overlaps, where the contender has several; None for its own choice.
    """

    tile: int
    overlap: int
    batch: int
    blend: str | None = None

    @property
    def stride(self) -> int:
        """Pixels from one tile to the next."""
        return self.tile - self.overlap


@dataclass(frozen=True)
class Borders:
    """Pixels before which a tile begins or after which one has ended, without the edges of the raster."""

    rows: frozenset[int]
    columns: frozenset[int]


def pulled_back(size: int, tiles: Tiles) -> list[int]:
    """First pixels of tiles of which the last is moved back to end with the raster."""
    return sorted({max(0, min(origin, size - tiles.tile)) for origin in range(0, size, tiles.stride)})


def overhanging(size: int, tiles: Tiles) -> list[int]:
    """First pixels of tiles at whole strides, of which the last may reach beyond the raster."""
    return list(range(0, max(1, size - tiles.overlap), tiles.stride))


def edges(origins: Iterable[int], tile: int, size: int) -> frozenset[int]:
    """Begins and ends of tiles inside a raster of `size` pixels."""
    return frozenset(edge for origin in origins for edge in (origin, origin + tile) if 0 < edge < size)


def blended_borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Where tiles that were moved back at the end and blended over their whole overlap begin and end."""
    rows, columns = (edges(pulled_back(size, tiles), tiles.tile, size) for size in (height, width))
    return Borders(rows, columns)
