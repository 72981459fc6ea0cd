"""Make scenes of any size: the embedded sample, mirrored repeatedly, with speckle that never repeats.

To the model they look like land (fields, towns, water), so that maps can be compared, and they compress like real
files. VV and VH in dB, float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window

from backend.raster.source import gdal_environment

SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "sample" / "simulated_s1.tif"
STRIP = 512  # rows written at once
# Looks of the added speckle, which never repeats; the sample's own speckle does.
LOOKS = 20


def sample_db() -> NDArray[np.float32]:
    """Read the embedded sample [2, rows, columns] in dB; NaN is nodata."""
    with rasterio.open(SAMPLE) as source:
        values = source.read(masked=True).astype(np.float32).filled(np.nan)
        scales = np.array(source.scales, dtype=np.float32)[:, None, None]
    result: NDArray[np.float32] = values * scales
    return result


def side_of(megapixels: float) -> int:
    """Return the side of a square scene: a multiple of 8, so that tiles from the bottom align with patches."""
    return max(8, round((megapixels * 1e6) ** 0.5 / 8) * 8)


def mirrored(rows: int, width: int, top: int, count: int) -> NDArray[np.float32]:
    """Return rows `top` to `top + count` of the mirrored sample: dB, float32 [2, count, width]."""
    sample = sample_db()
    level = np.nanmean(sample, axis=(1, 2), keepdims=True)
    sample = np.where(np.isnan(sample), level, sample)
    down, across = (_reflected(size, n) for size, n in ((rows, sample.shape[1]), (width, sample.shape[2])))
    return sample[:, down[top : top + count]][:, :, across]


def _reflected(size: int, period: int) -> NDArray[np.intp]:
    position = np.arange(size) % (2 * period)
    return np.minimum(position, 2 * period - 1 - position)


def write_scene(path: Path, rows: int, width: int, valid: float = 1.0) -> None:
    """Write a tiled, compressed GeoTIFF; the same bytes each time.

    Args:
        path: File to write.
        rows: Rows of the scene.
        width: Columns of the scene.
        valid: Share of each row that holds data; the rest is nodata.
    """
    random = np.random.default_rng(0)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": rows, "width": width, "crs": "EPSG:32632"}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
    place = {"transform": from_origin(5e5, 58e5, 10, 10), "nodata": np.nan}
    kept = round(width * valid)
    with gdal_environment(), rasterio.open(path, "w", **profile, **layout, **place) as file:
        file.descriptions = ("VV", "VH")
        for top in range(0, rows, STRIP):
            db = mirrored(rows, width, top, min(STRIP, rows - top))
            speckle = random.standard_gamma(LOOKS, db.shape, dtype=np.float32) / np.float32(LOOKS)
            strip = (db + 10 * np.log10(speckle)).round(2).astype(np.float32)
            strip[:, :, kept:] = np.nan
            file.write(strip, window=Window(0, top, width, db.shape[1]))
