"""Run MONAI: `sliding_window_inference` over the whole scene as one array."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.peers.common import decided, whole_scene, write_map
from benchmarks.peers.tiles import Tiles, blended_borders

LIBRARIES = ("monai.inferers",)
# Gaussian blending, which most users set.
BLEND = "gaussian"
# Defaults of the function; the batch has none, and is that of the tutorials.
DEFAULTS = Tiles(tile=128, overlap=32, batch=4, blend="constant")
borders = blended_borders


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; return the number of tiles that the network saw."""
    from monai.inferers import sliding_window_inference

    image = whole_scene(scene, model.card)
    with torch.no_grad():
        probabilities = sliding_window_inference(
            image, tiles.tile, tiles.batch, model, overlap=tiles.overlap / tiles.tile, mode=tiles.blend or BLEND
        )
    write_map(output, scene, decided(probabilities[0].numpy(), model.card))
    return model.tiles
