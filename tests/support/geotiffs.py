"""Write small rasters and data folders of random values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from backend.card.model_card import Band

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))
PLACED = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10)}


def write(path: Path, values, descriptions=(), **profile) -> Path:
    """Write a raster from [rows, columns] or [bands, rows, columns]; the suffix chooses PNG or GeoTIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.asarray(values)
    if values.ndim == 2:
        values = values[None]
    count, height, width = values.shape
    driver = "PNG" if path.suffix == ".png" else "GTiff"
    settings = {"driver": driver, "dtype": values.dtype.name, **profile}
    with rasterio.open(path, "w", count=count, height=height, width=width, **settings) as file:
        file.write(values)
        for band, text in enumerate(descriptions, 1):
            file.set_band_description(band, text)
    return path


def write_large(path: Path, rows: int, width: int) -> Path:
    """A tiled, compressed raster of VV and VH in dB, float32: one strip of noise over and over."""
    step = 512
    strip = np.random.default_rng(0).normal(-15, 4, (2, step, width)).round(1).astype(np.float32)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": rows, "width": width, **PLACED}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
    with rasterio.Env(GDAL_CACHEMAX=64 * 2**20), rasterio.open(path, "w", **profile, **layout) as file:
        for top in range(0, rows, step):
            count = min(step, rows - top)
            file.write(strip[:, :count], window=Window(0, top, width, count))
    return path


def toml(folder: Path, text: str) -> None:
    """Write dataset.toml of a data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.toml").write_text(text)


def land(seed: int = 0, size: int = 48, bands: int = 2, difference: float = 7.0) -> np.ndarray:
    """Make speckled land in dB, float32 [bands, size, size]."""
    rng = np.random.default_rng(seed)
    levels = -11.0 - difference * np.arange(bands)
    return (rng.normal(0, 2, (bands, size, size)) + levels[:, None, None]).astype(np.float32)
