"""Compare two maps, detect visible tiles in a map, and make a reference map in which no tile can show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.windows import Window

from backend.core.cancel import Cancel
from backend.network.weights import load_model
from backend.radiometry.units import Units
from backend.raster.source import RasterSource, gdal_environment
from backend.stream.decision import decision
from backend.stream.frames import NativeFrame
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import plan_tiles
from benchmarks.peers.tiles import Borders

CHUNK = 1024
# Overlap of neighbouring tiles in the reference.
OVERLAP = 0.75


def agreement(first: Path, second: Path, window: Window | None = None) -> float:
    """Return the share of pixels with equal classes; the second map covers only `window` of the first."""
    same = total = 0
    with rasterio.open(first) as a, rasterio.open(second) as b:
        window = window or Window(0, 0, a.width, a.height)
        for top in range(0, int(window.height), CHUNK):
            count = min(CHUNK, int(window.height) - top)
            ours = a.read(1, window=Window(window.col_off, window.row_off + top, window.width, count))
            same += int((ours == b.read(1, window=Window(0, top, window.width, count))).sum())
            total += ours.size
    return same / total


def seam_ratio(layer: Path, borders: Borders) -> tuple[float, float]:
    """Return the rate of class changes across tile borders over the rate elsewhere, down and across.

    Args:
        layer: Map of classes, 0 for nodata.
        borders: Tile borders of the map.
    """
    with rasterio.open(layer) as source:
        height, width = source.height, source.width
        changed, counted = (tuple(np.zeros(size, dtype=np.int64) for size in (height, width)) for _ in range(2))
        for top, band in _strips(source):
            for axis in (0, 1):
                before, after = (band[:-1], band[1:]) if axis == 0 else (band[:, :-1], band[:, 1:])
                valid = (before > 0) & (after > 0)
                # A step is counted at its second pixel; a strip begins with the last row of the one before.
                first = top + 1 if axis == 0 else 1
                if axis == 1 and top:
                    before, after, valid = before[1:], after[1:], valid[1:]
                place = slice(first, first + valid.shape[axis])
                changed[axis][place] += ((before != after) & valid).sum(axis=1 - axis)
                counted[axis][place] += valid.sum(axis=1 - axis)
    down, right = (_over(changed[a], counted[a], chosen) for a, chosen in ((0, borders.rows), (1, borders.columns)))
    return down, right


def _strips(source: Any) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield the first row and the rows [n, width] of strips that begin with the last row of the strip before."""
    for top in range(0, source.height, CHUNK):
        first = max(0, top - 1)
        yield first, source.read(1, window=Window(0, first, source.width, min(source.height, top + CHUNK) - first))


def _over(changed: NDArray[np.int64], counted: NDArray[np.int64], borders: frozenset[int]) -> float:
    at_border = np.isin(np.arange(changed.size), list(borders))
    if not (counted[at_border].sum() and changed[~at_border].sum()):
        return float("nan")
    shares = [changed[where].sum() / counted[where].sum() for where in (at_border, ~at_border)]
    return float(shares[0] / shares[1])


def middle_window(height: int, width: int, megapixels: float, patch: int) -> Window:
    """Return a square of whole patches in the middle of a raster."""
    side = int((megapixels * 1e6) ** 0.5) // patch * patch
    rows, columns = (min(side, size // patch * patch) for size in (height, width))
    top, left = ((size - part) // 2 // patch * patch for size, part in ((height, rows), (width, columns)))
    return Window(left, top, columns, rows)


def reference(scene: Path, model: Path, window: Window, output: Path) -> None:
    """Map a window of a scene with so much overlap that each pixel is in up to sixteen tiles.

    The window is mapped with a margin of one tile, so that its edges have the same context as in the whole scene.
    """
    network, card = load_model(model)
    cut = output.with_suffix(".scene.tif")
    top, left = _cut(scene, cut, window, card.tile)
    decide, values = decision(card.classes), np.array([c.value for c in card.classes], dtype=np.uint8)
    rows: list[NDArray[np.uint8]] = []

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return network(torch.from_numpy(x)).softmax(dim=1).numpy()

    with gdal_environment(), RasterSource(cut, names=[band.name for band in card.bands]) as source:
        frame = NativeFrame(source, card.bands, Units.DB)
        overlap = int(card.tile * OVERLAP) // card.patch * card.patch
        plan = plan_tiles(frame.height, frame.width, card.tile, overlap, card.patch)
        run_stream(
            frame,
            TileJob(plan, len(card.classes), batch=8),
            run,
            lambda done, valid: rows.append(np.where(valid, values[decide(done)], np.uint8(0))),
            Cancel(),
        )
    found = np.concatenate(rows)[top : top + int(window.height), left : left + int(window.width)]
    with rasterio.open(scene) as source:
        place = {"crs": source.crs, "transform": source.window_transform(window)}
    size = {"height": found.shape[0], "width": found.shape[1]}
    with rasterio.open(output, "w", driver="GTiff", dtype="uint8", count=1, nodata=0, **size, **place) as file:
        file.write(found, 1)
    cut.unlink()


def _cut(scene: Path, output: Path, window: Window, margin: int) -> tuple[int, int]:
    """Write a window of a scene with a margin; return the offset of the window in it, down and across."""
    with rasterio.open(scene) as source:
        top, left = (int(max(0, offset - margin)) for offset in (window.row_off, window.col_off))
        bottom = min(source.height, int(window.row_off + window.height) + margin)
        right = min(source.width, int(window.col_off + window.width) + margin)
        part = Window(left, top, right - left, bottom - top)
        grid = {"height": bottom - top, "width": right - left, "transform": source.window_transform(part)}
        with rasterio.open(output, "w", **{**source.profile, **grid}) as target:
            target.write(source.read(window=part))
            target.descriptions = source.descriptions
    return int(window.row_off) - top, int(window.col_off) - left
