"""A large scene with the structure of the small simulated one, for maps that can be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from backend.raster import gdal_environment
from benchmarks.scenes import sample_db

# The sample's speckle repeats with it; on top of that comes speckle of so many looks, which never repeats.
LOOKS = 20
CHUNK = 512


def side_of(megapixels: float) -> int:
    """Rows, and columns, of a square scene: a multiple of 8, so that tiles from the bottom keep the patches' phase."""
    return max(8, round((megapixels * 1e6) ** 0.5 / 8) * 8)


def mirrored(height: int, width: int, top: int, count: int) -> NDArray[np.float32]:
    """Rows `top` to `top + count` of the sample reflected over and over: dB, float32 [2, count, width]."""
    sample = sample_db()
    level = np.nanmean(sample, axis=(1, 2), keepdims=True)
    sample = np.where(np.isnan(sample), level, sample)
    rows, columns = (_reflected(size, n) for size, n in ((height, sample.shape[1]), (width, sample.shape[2])))
    return sample[:, rows[top : top + count]][:, :, columns]


def _reflected(size: int, period: int) -> NDArray[np.intp]:
    position = np.arange(size) % (2 * period)
    return np.minimum(position, 2 * period - 1 - position)


def make_scene(path: Path, height: int, width: int) -> None:
    """Write a tiled, compressed float32 raster of VV and VH in dB, all valid; the same bytes each time."""
    random = np.random.default_rng(0)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": height, "width": width}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
    place = {"crs": "EPSG:32632", "transform": rasterio.transform.from_origin(5e5, 58e5, 10, 10), "nodata": np.nan}
    with gdal_environment(), rasterio.open(path, "w", **profile, **layout, **place) as file:
        file.descriptions = ("VV", "VH")
        for top in range(0, height, CHUNK):
            db = mirrored(height, width, top, min(CHUNK, height - top))
            speckle = random.standard_gamma(LOOKS, db.shape, dtype=np.float32) / np.float32(LOOKS)
            window = Window(0, top, width, db.shape[1])
            file.write((db + 10 * np.log10(speckle)).round(2).astype(np.float32), window=window)
