"""Run TerraTorch: the whole scene as one array through `tiled_inference`, which its tasks call for large images."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.common import decided, whole_scene, write_map
from benchmarks.peers.tiles import Borders, Tiles, edges, pulled_back

LIBRARIES = ("terratorch.tasks.tiled_inference",)
# Defaults of the function.
DEFAULTS = Tiles(tile=224, overlap=32, batch=16)


def cut(tiles: Tiles) -> int:
    """Return the pixels cut off each side of a tile before blending, by the proportion of its defaults (8 of 32).

    Its default of 8 pixels would leave nothing of an overlap of 16 to blend.
    """
    return tiles.overlap // 4


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; return the number of tiles that the network saw."""
    from terratorch.tasks.tiled_inference import tiled_inference

    probabilities = tiled_inference(
        model,
        whole_scene(scene, model.card),
        crop=tiles.tile,
        stride=tiles.stride,
        delta=cut(tiles),
        batch_size=tiles.batch,
    )
    write_map(output, scene, decided(probabilities[0].numpy(), model.card))
    return model.tiles


def borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Return the tile borders in its map; tiles are laid over the scene with a frame as wide as the cut."""
    frame = 2 * cut(tiles)
    rows, columns = (
        edges(pulled_back(size + frame, tiles), tiles.tile - frame, size) for size in (height, width)
    )  # fmt: skip
    return Borders(rows, columns)
