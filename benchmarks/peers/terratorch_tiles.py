"""TerraTorch: the whole scene as one array through `tiled_inference`, which its tasks call for large images."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.common import decided, whole_scene, write_map
from benchmarks.peers.tiles import Borders, Tiles, edges, pulled_back

LIBRARIES = ("terratorch.tasks.tiled_inference",)
# As its users get it: what stands in the function's signature.
DEFAULTS = Tiles(tile=224, overlap=32, batch=16)


def cut(tiles: Tiles) -> int:
    """Pixels cut off each side of a tile before it is blended: the part of the overlap that its defaults cut (8 of 32).

    (Its default of 8 pixels would leave nothing of an overlap of 16 to be blended.)
    """
    return tiles.overlap // 4


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; the number of tiles that the network saw."""
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
    """Where tiles meet in its map: they are laid over the scene with a frame of the pixels that are cut off."""
    frame = 2 * cut(tiles)
    rows, columns = (
        edges(pulled_back(size + frame, tiles), tiles.tile - frame, size) for size in (height, width)
    )  # fmt: skip
    return Borders(rows, columns)
