"""Run ONNX Runtime in a loop over tiles, as the QGIS plugin Deepness does.

Each window is read, run and decided, and its middle, without half of each overlap, is copied into a map in memory,
which is written at the end. Deepness also reads through QGIS and smooths its map by a median; leaving both out saves
time here. The network is exported before anything is timed, because users of Deepness are given an ONNX file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import torch

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from benchmarks.peers.common import Probabilities, decided, normalised, write_map
from benchmarks.peers.tiles import Borders, Tiles, overhanging

LIBRARIES = ("onnxruntime", "rasterio")
# Defaults of Deepness: one tile at a time. Its overlap of 15 % is nearly ours.
DEFAULTS = Tiles(tile=128, overlap=16, batch=1)


class Loaded(NamedTuple):
    """Hold a session and the card of its weights."""

    session: Any
    card: Any


def export(folder: Path, onnx: Path, tile: int) -> float:
    """Write the network with a softmax as ONNX, for tiles of one size and any batch.

    Returns:
        Largest difference of probabilities between PyTorch and ONNX Runtime on three tiles of noise.
    """
    model = Probabilities(folder)
    x = torch.randn(3, len(model.card.bands), tile, tile, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # torch.export would fix the batch to that of the example.
        names = {"input_names": ["x"], "output_names": ["p"], "dynamic_axes": {"x": {0: "n"}, "p": {0: "n"}}}
        torch.onnx.export(model.eval(), (x,), onnx, opset_version=17, dynamo=False, **names)
        wanted = model(x).numpy()
    session = load(onnx, folder).session
    # As one batch, and one at a time, because the batch must be free.
    found = [session.run(None, {"x": part})[0] for part in (x.numpy(), *np.split(x.numpy(), len(x)))]
    return float(max(np.abs(found[0] - wanted).max(), np.abs(np.concatenate(found[1:]) - wanted).max()))


def load(onnx: Path, folder: Path) -> Loaded:
    """Load the exported network with as many threads as PyTorch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    return Loaded(session, ModelCard.load(folder / CARD))


def predict(model: Loaded, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; return the number of tiles that the network saw."""
    with rasterio.open(scene) as source:
        height, width = source.height, source.width
        places = [(row, column) for row in overhanging(height, tiles) for column in overhanging(width, tiles)]
        result = np.zeros((height, width), dtype=np.uint8)
        for first in range(0, len(places), tiles.batch):
            some = places[first : first + tiles.batch]
            x = np.stack([normalised(_window(source, *place, tiles.tile), model.card) for place in some])
            for place, probabilities in zip(some, model.session.run(None, {"x": x})[0]):
                _set_middle(result, decided(probabilities, model.card), place, tiles)
    write_map(output, scene, result)
    return len(places)


def _window(source: Any, top: int, left: int, tile: int) -> Any:
    """Read the pixels of a tile [bands, tile, tile]; NaN outside the raster."""
    rows, columns = min(tile, source.height - top), min(tile, source.width - left)
    values = np.full((source.count, tile, tile), np.nan, dtype=np.float32)
    values[:, :rows, :columns] = source.read(window=((top, top + rows), (left, left + columns)))
    return values


def _set_middle(result: Any, classes: Any, place: tuple[int, int], tiles: Tiles) -> None:
    """Copy a tile into the map without half of each overlap, but with all of it at the edges of the raster."""
    half = tiles.overlap // 2
    inner = []
    for origin, size in zip(place, result.shape):
        begin = origin + half if origin else 0
        inner.append(slice(begin, size if origin + tiles.tile >= size else origin + tiles.tile - half))
    on_tile = tuple(slice(part.start - origin, part.stop - origin) for part, origin in zip(inner, place))
    result[tuple(inner)] = classes[on_tile]


def borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Return the tile borders in its map: the middle of each overlap."""
    half = tiles.overlap // 2
    rows, columns = (
        frozenset(o + half for o in overhanging(size, tiles) if 0 < o + half < size and o) for size in (height, width)
    )
    return Borders(rows, columns)
