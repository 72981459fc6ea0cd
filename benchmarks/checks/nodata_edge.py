"""Measure how much nodata changes the map near it: classes near its edge against those of the whole scene.

    python -m benchmarks.checks.nodata_edge SCENE [SCENE MASKED] [--model NAME|DIR]

SCENE is a raster at the model's pixel size. It is mapped whole, then under masks of several shapes, and cut where the
straight masks end. Given MASKED too, a copy of SCENE with nodata, that copy's mask is taken instead. Each line says
what share of the valid pixels within 4, 8, 16 and 32 pixels of the mask's edge has another class than in the whole map.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt

from backend.core.arrays import BoolArray, FloatArray
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.radiometry.units import Units

RINGS = (4, 8, 16, 32)


class Maps:
    """Map rasters held in memory, through files in a folder."""

    def __init__(self, folder: Path, model: str | None) -> None:
        self._folder, self._model = folder, model

    def __call__(self, db: FloatArray) -> NDArray[np.uint8]:
        """Return the classes [H, W] of backscatter in dB [2, H, W], NaN for nodata."""
        scene, output = self._folder / "scene.tif", self._folder / "map.tif"
        profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "nodata": np.nan, "crs": "EPSG:32630"}
        height, width = db.shape[1:]
        place = from_origin(5e5, 4e6, 10, 10)
        with rasterio.open(scene, "w", height=height, width=width, transform=place, **profile) as target:
            target.write(db)
            target.descriptions = ("VV", "VH")
        landcover(Request(str(scene), output, self._model, units=Units.DB, overwrite=True))
        with rasterio.open(output) as source:
            classes: NDArray[np.uint8] = source.read(1)
        return classes


def masks(height: int, width: int) -> Iterator[tuple[str, BoolArray]]:
    """Yield names and validity of masks as swath edges, holes and damaged lines make them."""
    rows, columns = np.mgrid[:height, :width]
    yield "left edge, 5 patches", columns >= 40
    yield "left edge, 43 pixels", columns >= 43
    yield "lower edge", rows < height - 45
    yield "diagonal edge", columns * 0.97 + rows * 0.26 >= 0.3 * width
    yield "diagonal edges, both", np.abs(columns + 0.3 * rows - 0.6 * width) < 0.2 * width
    yield "round holes", ((rows % 120 - 60) ** 2 + (columns % 130 - 65) ** 2) > 20**2
    yield "thin lines", (rows % 40 != 17) & (columns % 64 != 31)
    yield "narrow strip, 24 pixels", (columns > width // 2 - 12) & (columns <= width // 2 + 12)


def cut_at(valid: BoolArray) -> tuple[slice, slice] | None:
    """Return the rectangle of valid pixels, if they are one."""
    rows, columns = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return window if valid[window].all() else None


def changed(found: NDArray[Any], wanted: NDArray[Any], valid: BoolArray) -> list[float]:
    """Return the share of valid pixels with another class, within each of RINGS pixels of the edge."""
    distance = distance_transform_edt(valid)
    near = [valid & (wanted > 0) & (distance <= ring) for ring in RINGS]
    return [float((found != wanted)[ring].mean()) for ring in near]


def show(name: str, shares: list[float]) -> None:
    """Print a line of shares in percent."""
    print(f"{name:<32}" + "".join(f"{100 * share:8.1f} %" for share in shares), flush=True)


def read(path: Path) -> FloatArray:
    """Return a raster's bands in dB, NaN for nodata."""
    with rasterio.open(path) as source:
        values = source.read(masked=True).astype(np.float32).filled(np.nan)
        column = (-1, 1, 1)
        db: FloatArray = values * np.float32(source.scales).reshape(column) + np.float32(source.offsets).reshape(column)
    return db


def main() -> None:
    """Print a line for each mask, and for each cut."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("masked", type=Path, nargs="?")
    parser.add_argument("--model")
    given = parser.parse_args()
    db = read(given.scene)
    print(f"{'within':<32}" + "".join(f"{ring:7d} px" for ring in RINGS))
    with tempfile.TemporaryDirectory() as folder:
        maps = Maps(Path(folder), given.model)
        whole = maps(db)
        chosen = masks(*whole.shape)
        if given.masked:
            chosen = iter([(given.masked.name, np.isfinite(read(given.masked)).all(axis=0))])
        for name, valid in chosen:
            show(name, changed(maps(np.where(valid, db, np.float32(np.nan))), whole, valid))
            window = cut_at(valid)
            if window:
                found = whole.copy()
                found[window] = maps(db[(slice(None), *window)])
                show("  the same, cut", changed(found, whole, valid))


if __name__ == "__main__":
    main()
