"""Run GeoAI (geoai-py): `predict_geotiff`, which reads, blends and writes by itself."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.common import decided, normalised
from benchmarks.peers.tiles import Tiles, blended_borders

# The function imports the second one.
LIBRARIES = ("geoai.inference", "geoai.utils")
# Defaults of the function.
DEFAULTS = Tiles(tile=256, overlap=64, batch=4)
borders = blended_borders


def predict(model: object, scene: Path, output: Path, tiles: Tiles) -> int:
    """Write the map of a scene; return the number of tiles that the network saw."""
    from geoai.inference import predict_geotiff

    predict_geotiff(
        model,
        str(scene),
        str(output),
        tile_size=tiles.tile,
        overlap=tiles.overlap,
        batch_size=tiles.batch,
        num_classes=len(model.card.classes),
        output_dtype="uint8",
        output_nodata=0,
        preprocess_fn=lambda tile: normalised(tile, model.card),
        postprocess_fn=lambda probabilities: decided(probabilities, model.card)[None],
        device="cpu",
        verbose=False,
    )
    return model.tiles
