"""MONAI: the whole scene as one array through `sliding_window_inference`, as its users do."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.tiles import Borders, Tiles, blended_borders

LIBRARIES = ("monai.inferers",)
# Same tiles: overlaps blended by a Gaussian, as most of its users set it.
BLEND = "gaussian"
# As its users get it: what stands in the function's signature (the batch, which has no default, as in its tutorials).
DEFAULTS = Tiles(tile=128, overlap=32, batch=4, blend="constant")


def load(folder: Path, onnx: Path) -> object:
    """The network of a model folder with a softmax."""
    from benchmarks.peers.common import Probabilities

    return Probabilities(folder)


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; the number of tiles that the network saw."""
    import torch
    from monai.inferers import sliding_window_inference

    from benchmarks.peers.common import decided, whole_scene, write_map

    image = whole_scene(scene, model.card)
    with torch.no_grad():
        probabilities = sliding_window_inference(
            image, tiles.tile, tiles.batch, model, overlap=tiles.overlap / tiles.tile, mode=tiles.blend or BLEND
        )
    write_map(output, scene, decided(probabilities[0].numpy(), model.card))
    return model.tiles


def borders(height: int, width: int, tiles: Tiles) -> Borders:
    """Where tiles meet in its map."""
    return blended_borders(height, width, tiles)
