"""Cut a grid into parts that hold all dates in bounded memory: by width and number of dates, never by height."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.raster.grid import Grid, Rectangle
from backend.raster.source import RasterSource

FLOAT = 4
# Bytes of all dates of a part, and of the rows of the output that are made at once.
STACK, OUT = 2**28, 2**27
ROWS = 256
COLUMNS = 256


@dataclass(frozen=True)
class Cut:
    """Hold how a grid is cut.

    Attributes:
        grid: Grid of the output.
        rows: Rows of a strip.
        columns: Columns of a part.
    """

    grid: Grid
    rows: int
    columns: int

    def strips(self) -> Iterator[list[Rectangle]]:
        """Return the parts of each strip, from left to right, from top to bottom."""
        for top in range(0, self.grid.height, self.rows):
            height = min(self.rows, self.grid.height - top)
            lefts = range(0, self.grid.width, self.columns)
            yield [Rectangle(top, left, height, min(self.columns, self.grid.width - left)) for left in lefts]


def cut(grid: Grid, sources: Sequence[RasterSource], planes: int, made: int) -> Cut:
    """Return how to cut a grid.

    Rasters in tiles are read in squares: a strip is as high as a tile, so that each is decoded once. Rasters in lines
    are read in whole lines, in lower strips.

    Args:
        grid: Grid of the output.
        sources: Rasters that are read.
        planes: Bands of all of them together.
        made: Bands of the output.
    """
    shapes = [(*source.block_shape, source.whole[3]) for source in sources]
    in_lines = any(columns >= width and rows < ROWS for rows, columns, width in shapes)
    tall = max((rows for rows, columns, width in shapes if columns < width), default=ROWS)
    most = max(1, OUT // (made * grid.width * FLOAT))
    rows = min(max(ROWS, min(2 * ROWS, tall)), most)
    if in_lines:
        return Cut(grid, max(1, min(rows, STACK // (planes * grid.width * FLOAT))), grid.width)
    columns = STACK // (planes * rows * FLOAT) // COLUMNS * COLUMNS
    return Cut(grid, rows, max(COLUMNS, columns))
