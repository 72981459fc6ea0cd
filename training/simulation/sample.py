"""Make the simulated scene in resources/sample, for the demo and for tests without data.

Command::

    python -m training.simulation.sample --out resources/sample

It writes ``simulated_s1.tif`` (VV, VH; int16 in units of 0.01 dB with a scale tag) and ``simulated_s1_labels.tif``
(WorldCover codes), always with the same bytes. The layout is procedural; no data set was used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from backend.card import worldcover as lc
from training.simulation.fields import coordinates, gaussian_field
from training.simulation.folder import BANDS
from training.simulation.layout import add_lakes, add_river, add_settlements, patch_of, regions
from training.simulation.library import PIXEL_M
from training.simulation.rasters import Place, write_raster
from training.simulation.scene import SimulatedScene, simulate

SEED = 44
SHAPE = (384, 512)
SCALE = 0.01
NODATA = -32768
_EPSG = 32632
_CORNER = (500_000, 5_800_000)


def sample_layout(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make a varied lowland: fields, woods, a town, villages, a river, a lake, marsh and sand; uint8 [384, 512]."""
    layout = regions(rng, SHAPE, {lc.CROP: 0.45, lc.TREE: 0.35, lc.GRASS: 0.3})
    patch_of(rng, layout, lc.BARE)
    layout[gaussian_field(rng, SHAPE, 40.0, 3.6) > 1.5] = lc.SHRUB
    add_lakes(rng, layout)
    add_river(rng, layout)
    add_settlements(rng, layout)
    rows, columns = coordinates(SHAPE)
    ragged = np.hypot(rows - 250, columns - 350) / 60 - 0.35 * gaussian_field(rng, SHAPE, 6.0, 2.6)
    layout[(ragged < 1) & (layout != lc.WATER)] = lc.BUILT
    return layout


def sample_scene() -> SimulatedScene:
    """Simulate the scene, always the same, with a swath edge on one side."""
    rng = np.random.default_rng(SEED)
    return simulate(rng, sample_layout(rng), label_jitter=0.5, nodata_chance=1.0)


def write_sample(folder: Path) -> tuple[Path, Path]:
    """Write the scene and its labels into ``folder``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = sample_scene()
    valid = np.isfinite(scene.db)
    stored = np.where(valid, np.round(np.where(valid, scene.db, 0) / SCALE), NODATA).astype(np.int16)
    place = Place(Affine(PIXEL_M, 0, _CORNER[0], 0, -PIXEL_M, _CORNER[1]), _EPSG)
    image, labels = folder / "simulated_s1.tif", folder / "simulated_s1_labels.tif"
    write_raster(image, stored, place, BANDS, NODATA, scale=SCALE)
    write_raster(labels, scene.labels[None], place, ("land cover",), lc.UNKNOWN)
    return image, labels


def main() -> None:
    """Write the sample and print its paths."""
    parser = argparse.ArgumentParser(prog="python -m training.simulation.sample", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    for path in write_sample(parser.parse_args().out):
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
