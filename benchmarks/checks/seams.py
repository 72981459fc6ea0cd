"""Measure whether tiles show: the mean step between pixels across tile borders over the mean step elsewhere.

    python -m benchmarks.checks.seams SCENE [--model NAME|DIR] [--relative]

SCENE is a raster at the model's pixel size. A step is, for attention (each head and the mean), the absolute difference;
for land cover, a change of class. For embeddings (the mean of all features), their principal components and similarity
to the middle of the scene, it is the difference from patch to patch: between two different patches, the cosine changes
fastest at their border, with or without a tile border there. Ratios are given along rows and columns. 1 means that
borders don't differ from the rest; 1.1 is the limit. --relative takes an 8-bit scene stretched by its own extremes: its
first band is read as VV from -25 to 0 dB, and VH is set 7 dB lower.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.maps.attention import attention
from backend.maps.embeddings import embed
from backend.maps.landcover import landcover, landcover_overlap
from backend.maps.request import Request
from backend.maps.similarity import similarity
from backend.radiometry.units import Units
from backend.stream.tiling import AxisPlan, TilePlan, attention_overlap, plan_tiles
from benchmarks.peers.maps import seam_ratio
from benchmarks.peers.tiles import Borders, edges

LIMIT = 1.1


def absolute_copy(scene: Path, folder: Path) -> Path:
    """Write a stretched 8-bit scene as VV and VH in plausible dB."""
    with rasterio.open(scene) as source:
        stretched, valid = source.read(1).astype(np.float32), source.read_masks(1) > 0
        profile = {**source.profile, "count": 2, "dtype": "float32", "nodata": float("nan")}
    vv = np.where(valid, -25 + stretched / 255 * 25, np.nan).astype(np.float32)
    path = folder / "absolute.tif"
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.stack([vv, vv - 7]))
        target.descriptions = ("VV", "VH")
    return path


def border_ratio(values: NDArray[Any], plan: AxisPlan, axis: int) -> float:
    """Return the mean step across tile borders of one axis over the mean step elsewhere.

    Args:
        values: [H, W], NaN for nodata.
        plan: Tiles along the axis.
        axis: 0 for borders between rows, 1 for borders between columns.
    """
    steps = np.abs(np.diff(values, axis=axis))
    ends = {edge for origin in plan.origins for edge in (origin, origin + plan.tile)}
    at_border = np.array([position in ends for position in range(1, values.shape[axis])])
    across = np.compress(at_border, steps, axis=axis)
    return float(np.nanmean(across) / np.nanmean(np.compress(~at_border, steps, axis=axis)))


def ratios(layer: Path, plan: TilePlan) -> list[tuple[float, float]]:
    """Return the ratios along rows and columns for each band of a layer."""
    with rasterio.open(layer) as source:
        bands = source.read(masked=True).astype(np.float64).filled(np.nan)
    return [(border_ratio(values, plan.rows, 0), border_ratio(values, plan.columns, 1)) for values in bands]


def middle(scene: Path) -> tuple[float, float]:
    """Return the map coordinates of the valid pixel nearest to the middle of a scene."""
    with rasterio.open(scene) as source:
        rows, columns = np.nonzero(np.isfinite(source.read(1, masked=True).astype(np.float32).filled(np.nan)))
        nearest = np.hypot(rows - source.height / 2, columns - source.width / 2).argmin()
        x, y = source.xy(rows[nearest], columns[nearest])
    return x, y


def show(title: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print the ratios along rows and columns for each band."""
    for number, pair in enumerate(pairs, 1):
        verdict = "ok" if max(pair) <= LIMIT else "TILES SHOW"
        print(f"{title} {number}: rows {pair[0]:.3f}  columns {pair[1]:.3f}  {verdict}")


def main() -> None:
    """Print a line for each band."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--relative", action="store_true")
    given = parser.parse_args()
    card = ModelCard.load(model_folder(given.model) / CARD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = absolute_copy(given.scene, folder) if given.relative else given.scene
        with rasterio.open(scene) as source:
            size = source.height, source.width

        def plan_of(overlap: int) -> TilePlan:
            return plan_tiles(*size, card.tile, overlap, card.patch)

        def asked(layer: Path) -> Request:
            return Request(str(scene), layer, given.model, units=Units.DB)

        half = plan_of(attention_overlap(card.tile, card.patch))
        for heads in ("mean", "all"):
            layer = folder / f"{heads}.tif"
            attention(asked(layer), heads=heads)
            show(f"attention {heads}", ratios(layer, half))
        embed(asked(folder / "embeddings.tif"), pca=folder / "pca.tif")
        features = ratios(folder / "embeddings.tif", half.on_patches())
        show("embeddings, mean of the features", [tuple(np.mean(features, axis=0))])
        show("embeddings, component", ratios(folder / "pca.tif", half.on_patches()))
        similarity(asked(folder / "similarity.tif"), [middle(scene)], grid="patch")
        show("similarity", ratios(folder / "similarity.tif", half.on_patches()))
        landcover(asked(folder / "landcover.tif"))
        plan = plan_of(landcover_overlap(card.tile, card.patch, card.arch.reach))
        lines = (edges(axis.origins, axis.tile, length) for axis, length in zip((plan.rows, plan.columns), size))
        show("land cover", [seam_ratio(folder / "landcover.tif", Borders(*lines))])


if __name__ == "__main__":
    main()
