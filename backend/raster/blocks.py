"""Bound the memory that the blocks of a raster take: GDAL decodes and caches them whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.core.errors import UnreadableError
from backend.raster.bands import plain_dtype

# Bounds of GDAL's block cache, in bytes.
SMALL_CACHE, LARGE_CACHE = 16 * 2**20, 192 * 2**20
# Most bytes of a block, which GDAL decodes whole. Real ones have some MB; a whole compressed scene may be one of 1 GiB.
MOST_BLOCK = 2**30
BLOCK_OVERHEAD = 1024  # bytes, more than GDAL counts for a block in addition to its pixels


def cache_bytes(file: Any, bands: Sequence[int]) -> int:
    """Return a size of GDAL's cache for a row of blocks of an opened rasterio dataset, and three quarters of one more.

    A row of tiles begins a little before the end of the one above it, and rows are read in small parts, so that one row
    of blocks is in use but for a moment; written blocks use the same cache.
    """
    shapes, kinds = file.block_shapes, file.dtypes
    item = max(plain_dtype(kinds[band - 1]).itemsize for band in bands)
    # Blocks at the end of a row are cached whole, with an overhead each.
    sizes = ((rows, -(-file.width // columns), columns) for rows, columns in (shapes[b - 1] for b in bands))
    held = max(across * (rows * columns * item + BLOCK_OVERHEAD) for rows, across, columns in sizes)
    return int(max(SMALL_CACHE, min(LARGE_CACHE, 7 * held * file.count // 4)))


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
