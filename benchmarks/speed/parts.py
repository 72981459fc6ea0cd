"""What a land-cover run does beside the network, part by part: milliseconds of one core for each megapixel.

    python -m benchmarks.speed.parts [--side 3000] [--folder DIR]

Each part runs on its own over a whole scene, in one thread: reading and decoding; the same by rows of tiles, with
normalising and what overhangs; adding tiles up (copies of random ones); the same and choosing classes; writing them;
closing, overviews and checks; and last reading, adding up and choosing through the stream, with a network that costs
nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import rasterio

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.cancel import Cancel
from backend.radiometry.convert import Units
from backend.raster.sink import Layer, RasterSink
from backend.raster.source import RasterSource, gdal_environment
from backend.raster.styles import rgb
from backend.stream.blend import Reduce, RowBlender
from backend.stream.decision import choosing
from backend.stream.frames import NativeFrame
from backend.stream.tiles import TileJob, read_tile_row, run_stream
from benchmarks.speed.limit import plan_of
from benchmarks.speed.scenes import SAMPLE, write_scene


def measure(side: int, folder: Path) -> dict[str, float]:
    """Milliseconds for a megapixel by part."""
    card, scene, found = ModelCard.load(model_folder(None) / CARD), folder / "scene.tif", {}
    write_scene(scene, side, side)
    plan, classes = plan_of(card, side, side), card.classes
    rows = range(len(plan.rows.origins))

    def timed(part: str, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        found[part] = (time.process_time() - began) * 1e9 / side**2

    with gdal_environment(), RasterSource(scene, names=["VV", "VH"]) as source, gdal_environment(source.cache_bytes()):
        frame = NativeFrame(source, card.bands, Units.DB)
        timed("read", lambda: [source.read(top, min(side, top + 256)) for top in range(0, side, 256)])
        timed("read and normalise tile rows", lambda: [read_tile_row(frame, plan, row) for row in rows])
        tiles = np.random.default_rng(0).random((8, len(classes), plan.tile, plan.tile), dtype=np.float32)

        def blend(reduce: Reduce | None) -> None:
            blender = RowBlender(plan, len(classes), reduce)
            for row in rows:
                for column in range(len(plan.columns.origins)):
                    blender.add(row, column, tiles[column % len(tiles)].copy())
                blender.finish(row)

        choose = choosing(classes, confidence=False)
        timed("add tiles up", lambda: blend(lambda sums: np.zeros((1, *sums.shape[1:]), dtype=np.uint8)))
        timed("add tiles up and choose classes", lambda: blend(choose))
        with rasterio.open(SAMPLE.with_name("simulated_s1_labels.tif")) as file:
            labels = file.read(1)
        label = np.tile(labels, (side // labels.shape[0] + 1, side // labels.shape[1] + 1))[None, :side, :side]
        palette = {item.value: rgb(item.color) for item in classes}
        sink = RasterSink(folder / "map.tif", source.grid, Layer("uint8", 0, ["land cover"], palette))
        timed("write", lambda: [sink.write(label[:, top : top + 112]) for top in range(0, side, 112)])
        timed("close, overviews, checks", sink.finish)
        sink.discard()

        def cheap(x: np.ndarray) -> np.ndarray:
            return np.repeat(x[:, :1], len(classes), axis=1)

        timed(
            "all but writing, through the stream",
            lambda: run_stream(
                frame,
                TileJob(plan, len(classes), batch=8, blender=partial(RowBlender, reduce=choose)),
                cheap,
                lambda chosen, _: None,
                Cancel(),
            ),
        )
    return found


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
