"""Measure each part of a land-cover run outside the network, in milliseconds of one core for a megapixel.

    python -m benchmarks.speed.parts [--side 3000] [--folder DIR]

Each part runs alone over a whole scene, in one thread: reading and decoding; reading rows of tiles, normalised; adding
up tiles (copies of random ones); the same with the choice of classes; writing; closing, overviews and checks; and at
last reading, adding up and choosing through the stream, with a network that costs nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import rasterio

from backend.card.model_card import LandCoverClass, ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.cancel import Cancel
from backend.core.memory import hold_little
from backend.output.sink import Layer, RasterSink
from backend.output.styles import rgb
from backend.radiometry.units import Units
from backend.raster.source import RasterSource, gdal_environment
from backend.stream.blend import Reduce, RowBlender
from backend.stream.cutting import read_tile_row
from backend.stream.decision import choosing
from backend.stream.frames import NativeFrame
from backend.stream.rows import TileRows
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import TilePlan
from benchmarks.speed.limit import plan_of
from benchmarks.speed.scenes import SAMPLE, write_scene

Work = dict[str, Callable[[], object]]


def measure(side: int, folder: Path) -> dict[str, float]:
    """Return milliseconds for a megapixel by part."""
    hold_little()
    card, scene, found = ModelCard.load(model_folder(None) / CARD), folder / "scene.tif", {}
    write_scene(scene, side, side)
    plan = plan_of(card, side, side)
    with gdal_environment(), RasterSource(scene, names=["VV", "VH"]) as source, gdal_environment(source.cache_bytes()):
        work = {
            **reading(source, NativeFrame(source, card.bands, Units.DB), plan),
            **blending(plan, card.classes),
            **writing(folder / "map.tif", source, card.classes),
            **streaming(NativeFrame(source, card.bands, Units.DB), plan, card.classes),
        }
        for part, run in work.items():
            began = time.process_time()
            run()
            found[part] = (time.process_time() - began) * 1e9 / side**2
    return found


def reading(source: RasterSource, frame: NativeFrame, plan: TilePlan) -> Work:
    """Read a scene, in strips and as rows of tiles."""
    height, rows = frame.height, range(len(plan.rows.origins))

    def strips() -> None:
        for top in range(0, height, 256):
            source.read(top, min(height, top + 256))

    def tile_rows() -> None:
        held = TileRows(frame, plan)
        for row in rows:
            read_tile_row(held, plan, row)

    return {
        "read": strips,
        "read and normalise tile rows": tile_rows,
    }


def blending(plan: TilePlan, classes: Sequence[LandCoverClass]) -> Work:
    """Add up copies of random tiles, without and with choosing classes."""
    tiles = np.random.default_rng(0).random((8, len(classes), plan.tile, plan.tile), dtype=np.float32)

    def blend(reduce: Reduce) -> None:
        blender = RowBlender(plan, len(classes), reduce)
        for row in range(len(plan.rows.origins)):
            for column in range(len(plan.columns.origins)):
                blender.add(row, column, tiles[column % len(tiles)].copy())
            blender.finish(row)

    return {
        "add tiles up": lambda: blend(lambda sums: np.zeros((1, *sums.shape[1:]), dtype=np.uint8)),
        "add tiles up and choose classes": lambda: blend(choosing(classes, confidence=False)),
    }


def writing(path: Path, source: RasterSource, classes: Sequence[LandCoverClass]) -> Work:
    """Write a map of the sample's labels over and over, then close and check it."""
    with rasterio.open(SAMPLE.with_name("simulated_s1_labels.tif")) as file:
        labels = file.read(1)
    height, width = source.grid.height, source.grid.width
    label = np.tile(labels, (height // labels.shape[0] + 1, width // labels.shape[1] + 1))[None, :height, :width]
    palette = {item.value: rgb(item.color) for item in classes}
    sink = RasterSink(path, source.grid, Layer("uint8", 0, ["land cover"], palette))
    return {
        "write": lambda: [sink.write(label[:, top : top + 112]) for top in range(0, height, 112)],
        "close, overviews, checks": sink.finish,
    }


def streaming(frame: NativeFrame, plan: TilePlan, classes: Sequence[LandCoverClass]) -> Work:
    """Stream a scene through a network that costs nothing, up to the choice of classes."""

    def run() -> None:
        job = TileJob(plan, len(classes), batch=1, blender=partial(RowBlender, reduce=choosing(classes, False)))
        run_stream(frame, job, lambda x: np.repeat(x[:, :1], len(classes), axis=1), lambda chosen, _: None, Cancel())

    return {"all but writing, through the stream": run}


def main() -> None:
    """Print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=3000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        for part, milliseconds in measure(given.side, Path(name)).items():
            print(f"{part:36} {milliseconds:7.1f} ms/Mpx")


if __name__ == "__main__":
    main()
