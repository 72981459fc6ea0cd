"""Measure the peak memory of whole runs with a model that costs nothing, each run in a process of its own.

    python -m tests.backend.maps.stream_memory landcover|embed SCENE FOLDER

A run takes the whole file path: read, prepare, tiles, blend, write classes and confidence (or embeddings and the
picture of their components), close, overviews, check. Prints its peak in MiB.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from backend.core.cancel import Cancel
from backend.maps.embeddings import picture
from backend.maps.emit import masked, to_patches
from backend.maps.landcover import landcover_overlap
from backend.maps.pca import Scatter
from backend.output.sink import Layer, RasterSink
from backend.radiometry.units import Units
from backend.raster.grid import Grid
from backend.raster.source import RasterSource, gdal_environment
from backend.stream.frames import NativeFrame
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import attention_overlap, plan_tiles
from tests.support.geotiffs import BANDS, write_large
from tests.support.peak_memory import peak_mib

TILE, PATCH, CLASSES, FEATURES = 192, 8, 11, 64
ROOT = Path(__file__).resolve().parents[3]


def cheap_model(x: np.ndarray) -> np.ndarray:
    """Return as many planes as there are classes, from the first band; costs almost nothing."""
    return np.repeat(x[:, :1], CLASSES, axis=1)


def map_scene(scene: Path, folder: Path) -> None:
    """Run the whole file path of a land-cover run, without the network."""
    with gdal_environment(), RasterSource(scene, names=["VV", "VH"]) as source, gdal_environment(source.cache_bytes()):
        frame = NativeFrame(source, BANDS, Units.DB)
        plan = plan_tiles(frame.height, frame.width, TILE, landcover_overlap(TILE, PATCH), PATCH)
        palette = {value: (value, value, value) for value in range(1, CLASSES + 1)}
        classes = RasterSink(folder / "classes.tif", source.grid, Layer("uint8", 0, ["land cover"], palette))
        confidence = RasterSink(folder / "confidence.tif", source.grid, Layer("float32", np.nan, ["confidence"]))

        def emit(rows: np.ndarray, valid: np.ndarray) -> None:
            classes.write(np.where(valid, rows.argmax(axis=0) + 1, 0).astype(np.uint8)[None])
            confidence.write(np.where(valid, rows.max(axis=0), np.nan)[None])

        run_stream(frame, TileJob(plan, CLASSES, batch=4), cheap_model, emit, Cancel())
        for sink in (classes, confidence):
            sink.finish()
            sink.commit()


def cheap_tokens(x: np.ndarray) -> np.ndarray:
    """Return FEATURES planes of a value a patch; costs almost nothing."""
    return np.repeat(x[:, :1, ::PATCH, ::PATCH], FEATURES, axis=1)


def embed_scene(scene: Path, folder: Path) -> None:
    """Run the whole file path of a run of embeddings, without the network."""
    with gdal_environment(), RasterSource(scene, names=["VV", "VH"]) as source, gdal_environment(source.cache_bytes()):
        frame = NativeFrame(source, BANDS, Units.DB)
        plan = plan_tiles(frame.height, frame.width, TILE, attention_overlap(TILE, PATCH), PATCH)
        cells = plan.on_patches()
        grid = Grid(source.grid.crs, source.grid.transform, cells.columns.size, cells.rows.size)
        names = [f"feature {number}" for number in range(FEATURES)]
        sink, scatter = RasterSink(folder / "embeddings.tif", grid, Layer("float32", np.nan, names)), Scatter(FEATURES)

        def write(tokens: np.ndarray, valid: np.ndarray) -> None:
            sink.write(masked(tokens, valid))
            scatter.add(tokens[:, valid])

        job = TileJob(plan, FEATURES, batch=4, per_patch=True, coverage=True)
        run_stream(frame, job, cheap_tokens, to_patches(plan, write), Cancel())
        sink.finish()
        colours = RasterSink(folder / "pca.tif", grid, Layer("uint8", 0, ["1", "2", "3"], rgb=True))
        picture(sink, colours, scatter.components(3), Cancel())
        for each in (sink, colours):
            each.commit()


RUNS = {"landcover": map_scene, "embed": embed_scene}


def measure(rows: int, width: int, folder: Path, what: str = "landcover") -> float:
    """Return the peak in MiB of a run over a scene made for it; `what` is one of RUNS."""
    scene = write_large(folder / f"scene{rows}.tif", rows, width)
    command = [sys.executable, "-m", "tests.backend.maps.stream_memory", what, str(scene), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=1800, cwd=ROOT)
    scene.unlink()
    return float(done.stdout)


if __name__ == "__main__":
    RUNS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    print(peak_mib())
