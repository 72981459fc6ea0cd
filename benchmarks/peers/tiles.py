"""Plan tiles over a raster, and find the borders where they meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tiles:
    """Hold tiles of a contender.

    Attributes:
        tile: Side of a tile in pixels.
        overlap: Pixels shared by neighbouring tiles.
        batch: Tiles given to the network at once.
        blend: Name of the blending, for contenders with several; None for the default.
    """

    tile: int
    overlap: int
    batch: int
    blend: str | None = None

    @property
    def stride(self) -> int:
        """Return the number of pixels from one tile to the next."""
        return self.tile - self.overlap


@dataclass(frozen=True)
class Borders:
    """Hold pixels at which a tile begins or ends, without the edges of the raster."""

    rows: frozenset[int]
    columns: frozenset[int]


def pulled_back(size: int, tiles: Tiles) -> list[int]:
    """Return the first pixels of tiles, the last of which is moved back to end with the raster."""
    return sorted({max(0, min(origin, size - tiles.tile)) for origin in range(0, size, tiles.stride)})


def overhanging(size: int, tiles: Tiles) -> list[int]:
    """Return the first pixels of tiles at whole strides; the last may extend beyond the raster."""
    return list(range(0, max(1, size - tiles.overlap), tiles.stride))


def edges(origins: Iterable[int], tile: int, size: int) -> frozenset[int]:
    """Return the begins and ends of tiles inside a raster of `size` pixels."""
    return frozenset(edge for origin in origins for edge in (origin, origin + tile) if 0 < edge < size)


def blended_borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Return the borders of tiles that are pulled back and blended over their whole overlap."""
    rows, columns = (edges(pulled_back(size, tiles), tiles.tile, size) for size in (height, width))
    return Borders(rows, columns)
