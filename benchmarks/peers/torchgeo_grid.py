"""Run TorchGeo: a data loader over `GridGeoSampler`, one file a tile, merged at the end, as the QGIS plugin IAMAP does.

IAMAP writes features; here each file holds the classes of a tile. As there, the first tile wins in an overlap.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import rasterio
import torch

from benchmarks.peers.common import decided, normalised, write_map
from benchmarks.peers.tiles import Borders, Tiles, overhanging

LIBRARIES = ("torchgeo.datasets", "torchgeo.samplers", "rasterio.merge")
# Defaults of IAMAP without a graphics card: no overlap, one tile at a time.
DEFAULTS = Tiles(tile=128, overlap=0, batch=1)


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; return the number of tiles that the network saw."""
    from rasterio.merge import merge
    from torch.utils.data import DataLoader
    from torchgeo.datasets import RasterDataset, stack_samples
    from torchgeo.samplers import GridGeoSampler

    def transform(sample: dict[str, Any]) -> dict[str, Any]:
        return {**sample, "image": torch.from_numpy(normalised(sample["image"].numpy(), model.card))}

    dataset = RasterDataset([scene], transforms=transform)
    sampler = GridGeoSampler(dataset, size=tiles.tile, stride=tiles.stride)
    loader = DataLoader(dataset, batch_size=tiles.batch, sampler=sampler, collate_fn=stack_samples)
    with tempfile.TemporaryDirectory(dir=output.parent) as name, torch.no_grad():
        files: list[Path] = []
        for batch in loader:
            for probabilities, (x, y, _) in zip(model(batch["image"]).numpy(), batch["bounds"]):
                files.append(Path(name) / f"{len(files)}.tif")
                _write_tile(files[-1], decided(probabilities, model.card), (x.start, y.stop), dataset)
        with rasterio.open(scene) as source:
            bounds = tuple(source.bounds)
        merged, _ = merge(files, bounds=bounds, method="first")
    write_map(output, scene, merged[0])
    return model.tiles


def _write_tile(path: Path, classes: Any, corner: tuple[float, float], dataset: Any) -> None:
    """Write the classes of a tile whose upper left corner is at `corner` in map coordinates."""
    transform = rasterio.transform.from_origin(*corner, *dataset.res)
    height, width = classes.shape
    grid = {"crs": dataset.crs, "transform": transform, "height": height, "width": width}
    with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, nodata=0, **grid) as target:
        target.write(classes, 1)


def borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Return the tile borders in its map: the ends of the earlier tiles. Rows are laid from the bottom."""
    rows, columns = (
        frozenset(o + tiles.tile for o in overhanging(size, tiles) if o + tiles.tile < size) for size in (height, width)
    )
    return Borders(frozenset(height - row for row in rows), columns)
