"""Choose the overviews of a raster, and have GDAL make them of a file that is finished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rasterio
from rasterio.enums import Resampling

from backend.core.threads import thread_count

# Overviews are added until their larger side is at most this.
OVERVIEW_SIDE = 256
# Nothing else runs meanwhile. Threads queue chunks, which at GDAL's default size (10 MB) take memory by height.
# They are compressed like the raster itself: at GDAL's default level that takes half as long again.
SETTINGS = {"GDAL_NUM_THREADS": min(4, thread_count()), "GDAL_OVR_CHUNK_MAX_SIZE": 10**6, "ZLEVEL_OVERVIEW": 1}


def overview_factors(width: int, height: int) -> list[int]:
    """Return 2, 4, 8 and so on: how many times as large as that of the raster the pixels of each overview are."""
    return [2**i for i in range(1, 20) if max(width, height) / 2 ** (i - 1) > OVERVIEW_SIDE]


def add_overviews(path: Path, factors: Sequence[int], how: Resampling, block: int) -> None:
    """Add overviews to a closed GeoTIFF, in blocks of so many pixels a side; none if there are no factors."""
    if factors:
        with rasterio.Env(GDAL_TIFF_OVR_BLOCKSIZE=block, **SETTINGS), rasterio.open(path, "r+") as file:
            file.build_overviews(factors, how)
