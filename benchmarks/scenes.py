"""Scenes of any size for measuring: the embedded sample, mirrored again and again, with noise that never repeats.

They look like land (fields, towns, water) to the model, and compress like a real file: VV and VH in dB, float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.windows import Window

from backend.raster import gdal_environment

SAMPLE = Path(__file__).resolve().parent.parent / "resources" / "sample" / "simulated_s1.tif"
STRIP = 512  # rows written at once
NOISE_DB = 0.5


def sample_db() -> NDArray[np.float32]:
    """The embedded sample [2, rows, columns] in dB; nan where it has no data."""
    with rasterio.open(SAMPLE) as source:
        values = source.read(masked=True).astype(np.float32).filled(np.nan)
        scales = np.array(source.scales, dtype=np.float32)[:, None, None]
    result: NDArray[np.float32] = values * scales
    return result


def write_scene(path: Path, rows: int, width: int, valid: float = 1.0, seed: int = 0) -> None:
    """Write a tiled, compressed GeoTIFF.

    Args:
        path: File to write.
        rows: Of the scene.
        width: Columns of the scene.
        valid: Share of each row that holds data; the rest, at its end, is nodata.
        seed: Of the noise.
    """
    tile = np.concatenate((sample_db(), sample_db()[:, ::-1]), axis=1)
    tile = np.concatenate((tile, tile[:, :, ::-1]), axis=2)
    tile = np.where(np.isfinite(tile), tile, np.nanmean(tile, axis=(1, 2), keepdims=True)).astype(np.float32)
    height, across = tile.shape[1:]
    columns = np.arange(width) % across
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1, "predictor": 3}
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": rows, "width": width, "crs": "EPSG:32632"}
    rng = np.random.default_rng(seed)
    kept = round(width * valid)
    with (
        gdal_environment(),
        rasterio.open(
            path, "w", transform=from_origin(5e5, 58e5, 10, 10), nodata=float("nan"), **profile, **layout
        ) as file,
    ):
        file.descriptions = ("VV", "VH")
        for top in range(0, rows, STRIP):
            count = min(STRIP, rows - top)
            strip = tile[:, np.arange(top, top + count) % height][:, :, columns]
            strip = (strip + NOISE_DB * rng.standard_normal(strip.shape, dtype=np.float32)).round(2)
            strip[:, :, kept:] = np.nan
            file.write(strip, window=Window(0, top, width, count))
