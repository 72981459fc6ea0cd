"""Write small scenes of square blocks of two classes, and define a small backbone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from backend.card.arch import Arch
from training.run.common_config import ModelConfig

PATCH = 8
LEVELS = {10: (-8.0, -14.0), 80: (-24.0, -31.0)}


def small_model(heads: int = 2, tile: int = 32) -> ModelConfig:
    return ModelConfig(arch=Arch("vit_tiny_patch16_224", 32, 2, heads), patch=PATCH, tile=tile)


def write_raster(path: Path, values: NDArray[Any], names: Sequence[str] = (), nodata: float | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff", "width": values.shape[2], "height": values.shape[1], "count": len(values), "nodata": nodata,
        "dtype": str(values.dtype), "crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
        if names:
            file.descriptions = tuple(names)


def class_blocks(rng: np.random.Generator, values: Sequence[int], side: int, block: int) -> NDArray[np.uint8]:
    """Draw labels [side, side] of square blocks, each of one class."""
    count = -(-side // block)
    blocks = rng.choice(np.array(values, dtype=np.uint8), size=(count, count))
    return np.kron(blocks, np.ones((block, block), dtype=np.uint8))[:side, :side]


def backscatter(rng: np.random.Generator, label: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Draw dB [2, H, W]: the level of each class (of LEVELS; others like class 10) with noise."""
    table = np.array([LEVELS.get(value, LEVELS[10]) for value in range(256)])
    db = np.moveaxis(table[label], -1, 0) + rng.normal(0, 1, (2, *label.shape))
    return db.astype(np.float32)


def write_blocks(
    root: Path, names: Sequence[str], values: Sequence[int] = (10, 80), side: int = 64, block: int = 16
) -> None:
    """Write a labelled data folder with a scene of random blocks under each name."""
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        label = class_blocks(rng, values, side, block)
        write_raster(root / "images" / f"{name}.tif", backscatter(rng, label), ("VV", "VH"))
        write_raster(root / "labels" / f"{name}.tif", label[None])
