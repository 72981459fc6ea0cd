"""Bound the memory that the blocks of a raster take: GDAL decodes and caches them whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backend.core.errors import UnreadableError
from backend.raster.bands import plain_dtype

# Rows that are read at once; reads begin and end at multiples of it in the file, but for those that are resampled.
READ_ROWS = 16
# Bounds of GDAL's block cache, in bytes.
SMALL_CACHE, LARGE_CACHE = 16 * 2**20, 192 * 2**20
# Most bytes of a block, which GDAL decodes whole. Real ones have some MB; a whole compressed scene may be one of 1 GiB.
MOST_BLOCK = 2**30
# Pixels of a strip of a single band.
STRIP_PIXELS = 2**20
BLOCK_OVERHEAD = 1024  # bytes, more than GDAL counts for a block in addition to its pixels


def row_parts(top: int, bottom: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Yield rows in parts of at most READ_ROWS, which don't reach into the next row of blocks.

    Args:
        top: First row.
        bottom: End of the rows.
        first: Row of the file that counts as row 0.
    """
    while top < bottom:
        end = min(bottom, (first + top) // READ_ROWS * READ_ROWS + READ_ROWS - first)
        yield top, end
        top = end


def strip_rows(file: Any, width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield first row and end of strips of about STRIP_PIXELS, of whole blocks of a file where these are lower.

    Args:
        file: Opened dataset.
        width: Columns that are read.
        height: Rows that are read.
    """
    rows = max(1, STRIP_PIXELS // width)
    block = int(file.block_shapes[0][0])
    rows = rows // block * block if rows >= block else rows
    for top in range(0, height, rows):
        yield top, min(height, top + rows)


def damaged(path: str, top: int) -> UnreadableError:
    """Return the refusal of a raster whose rows from `top` on can't be read."""
    return UnreadableError(
        f"{path} can't be read at row {top}: it is truncated or damaged.", "Copy or download the file again."
    )


def cache_bytes(file: Any, bands: Sequence[int], resampled: bool = True) -> int:
    """Return a size of GDAL's cache for a row of blocks of an opened rasterio dataset, and a part of one more.

    Rows are read from top to bottom, each once, and in parts that don't reach into the next row of blocks where a block
    has whole parts: then an eighth more is for blocks that are written, which use the same cache. Three quarters more
    are needed where a part may be of two rows of blocks.

    Args:
        file: Opened dataset.
        bands: Those that are read.
        resampled: Whether rows are read that overlap, or not in `row_parts`.
    """
    shapes, kinds = file.block_shapes, file.dtypes
    item = max(plain_dtype(kinds[band - 1]).itemsize for band in bands)
    # Blocks at the end of a row are cached whole, with an overhead each.
    sizes = ((rows, -(-file.width // columns), columns) for rows, columns in (shapes[b - 1] for b in bands))
    held = max(across * (rows * columns * item + BLOCK_OVERHEAD) for rows, across, columns in sizes)
    parts = resampled or any(shapes[b - 1][0] % READ_ROWS and READ_ROWS % shapes[b - 1][0] for b in bands)
    return int(max(SMALL_CACHE, min(LARGE_CACHE, (14 if parts else 9) * held * file.count // 8)))


def check_blocks(file: Any, path: str, bands: Sequence[int]) -> None:
    """Refuse a raster whose blocks do not fit into memory."""
    shapes, kinds = file.block_shapes, file.dtypes
    for band in bands:
        rows, columns = shapes[band - 1]
        size = rows * columns * plain_dtype(kinds[band - 1]).itemsize
        if size > MOST_BLOCK:
            raise UnreadableError(
                f"{path} is stored in blocks of {columns} x {rows} pixels, {size / 2**30:.1f} GiB each; each must be "
                f"read whole, and {MOST_BLOCK / 2**30:g} GiB is the most.",
                "Store it in tiles: gdal_translate -co TILED=YES -co COMPRESS=DEFLATE.",
            )
