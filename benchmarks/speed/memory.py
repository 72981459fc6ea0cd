"""Peak memory of the stream by height of the raster, with a model that costs nothing.

    python -m benchmarks.speed.memory [--what landcover|embed] [--width 25000] [--rows 4000 16000] [--folder DIR]

Each height runs in a process of its own, over the whole file path: read, prepare, tiles, blend, write classes and
confidence (or embeddings and the picture of their components), close, overviews, check. Prints one JSON line a height,
and last how much the peak grew.

The peak is VmHWM where there is a /proc: it belongs to the address space, which a new program starts afresh.
getrusage's ru_maxrss belongs to the process, and a child started by vfork inherits its parent's: a large parent
(pytest with PyTorch and QGIS loaded) then hides all that the child uses.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from backend.card.model_card import Band
from backend.core.cancel import Cancel
from backend.maps.embeddings import picture
from backend.maps.emit import masked, to_patches
from backend.maps.landcover import landcover_overlap
from backend.maps.pca import Scatter
from backend.radiometry.convert import Units
from backend.raster.grid import Grid
from backend.raster.sink import Layer, RasterSink
from backend.raster.source import RasterSource, gdal_environment
from backend.stream.frames import NativeFrame
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import attention_overlap, plan_tiles

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))
TILE, PATCH, CLASSES, FEATURES = 192, 8, 11, 64
CHUNK = 512
ROOT = Path(__file__).resolve().parents[2]


def make_scene(path: Path, rows: int, width: int) -> None:
    """A tiled float32 raster of two bands in dB, one strip of noise over and over."""
    strip = np.random.default_rng(0).normal(-15, 4, (2, CHUNK, width)).round(1).astype(np.float32)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": rows, "width": width, "crs": "EPSG:32630"}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
    transform = rasterio.transform.from_origin(5e5, 4e6, 10, 10)
    with gdal_environment(), rasterio.open(path, "w", transform=transform, **profile, **layout) as file:
        for top in range(0, rows, CHUNK):
            count = min(CHUNK, rows - top)
            file.write(strip[:, :count], window=Window(0, top, width, count))


def cheap_model(x: np.ndarray) -> np.ndarray:
    """As many planes as there are classes, from the first band; costs next to nothing."""
    return np.repeat(x[:, :1], CLASSES, axis=1)


def map_scene(scene: Path, folder: Path) -> None:
    """The whole file path of a land-cover run, but for the network."""
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
    """FEATURES planes of a value a patch; costs next to nothing."""
    return np.repeat(x[:, :1, ::PATCH, ::PATCH], FEATURES, axis=1)


def embed_scene(scene: Path, folder: Path) -> None:
    """The whole file path of a run of embeddings, but for the network."""
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


def peak_mib() -> float:
    """Most memory this program has had resident since it was started, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    import resource  # not on Windows

    # Kilobytes, but bytes on macOS.
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def in_a_child(*arguments: object) -> str:
    """What this module prints when run with `arguments` as a program of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.memory", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=1800, cwd=ROOT)
    return done.stdout


def measure(rows: int, width: int, folder: Path, what: str = "landcover") -> dict[str, float]:
    """Peak resident memory and time of a run of its own over a scene made for it; `what` is one of RUNS."""
    scene = folder / f"scene{rows}.tif"
    in_a_child("--make", scene, "--width", width, "--rows", rows)
    began = time.monotonic()
    peak = float(in_a_child("--run", scene, "--folder", folder, "--what", what))
    seconds = time.monotonic() - began
    scene.unlink()
    return {"rows": rows, "width": width, "peak_mib": round(peak, 1), "seconds": round(seconds, 1)}


def main() -> None:
    """Measure each height and compare the last with the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", choices=RUNS, default="landcover")
    parser.add_argument("--width", type=int, default=25000)
    parser.add_argument("--rows", type=int, nargs="+", default=[4000, 16000])
    parser.add_argument("--folder", type=Path, help="where scenes are made; a temporary folder by default")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_scene(options.make, options.rows[0], options.width)
        return
    if options.run:
        RUNS[options.what](options.run, options.folder)
        print(peak_mib())
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = [measure(rows, options.width, Path(folder), options.what) for rows in options.rows]
    for result in results:
        print(json.dumps(result))
    print(json.dumps({"growth": round(results[-1]["peak_mib"] / results[0]["peak_mib"] - 1, 4)}))


if __name__ == "__main__":
    main()
