"""Load the network for peers, prepare the scene, and write their maps.

Normalisation, weights and class decision are ours, so that maps can be compared. Reading, tiling, blending and memory
are those of each peer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray

from backend.card.model_card import ModelCard
from backend.network.weights import load_model
from backend.radiometry.convert import prepare
from backend.radiometry.units import Units
from backend.stream.decision import decision

# Rows decided at once, so that deciding adds little to the memory of the peer's arrays.
ROWS = 256


class Probabilities(torch.nn.Module):
    """Run the network with a softmax, which peers blend, and count its tiles."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.network, self.card = load_model(folder)
        self.tiles = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities [n, classes, h, w] of network input [n, bands, h, w]."""
        self.tiles += len(x)
        return self.network(x).softmax(dim=1)


def normalised(values: NDArray[Any], card: ModelCard) -> NDArray[np.float32]:
    """Normalise dB [bands, h, w] to network input [bands, h, w]; 0 where a value isn't finite."""
    return prepare(values, np.isfinite(values).all(axis=0), card.bands, Units.DB)[0]


def whole_scene(scene: Path, card: ModelCard) -> torch.Tensor:
    """Read a whole scene as network input [1, bands, height, width]."""
    with rasterio.open(scene) as source:
        return torch.from_numpy(normalised(source.read(), card))[None]


def decided(probabilities: NDArray[np.float32], card: ModelCard) -> NDArray[np.uint8]:
    """Decide class values [h, w] from probabilities [classes, h, w]."""
    decide, values = decision(card.classes), np.array([c.value for c in card.classes], dtype=np.uint8)
    result = np.empty(probabilities.shape[1:], dtype=np.uint8)
    for top in range(0, len(result), ROWS):
        result[top : top + ROWS] = values[decide(probabilities[:, top : top + ROWS])]
    return result


def write_map(output: Path, scene: Path, classes: NDArray[np.uint8]) -> None:
    """Write class values as a tiled, compressed GeoTIFF on the grid of a scene."""
    with rasterio.open(scene) as source:
        grid = {"crs": source.crs, "transform": source.transform, "height": source.height, "width": source.width}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    with rasterio.open(output, "w", driver="GTiff", dtype="uint8", count=1, nodata=0, **grid, **layout) as target:
        target.write(classes, 1)
