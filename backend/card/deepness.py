"""Write the metadata by which the QGIS plugin Deepness runs an ONNX file. Imports the standard library only.

Names and their meaning are those of its readers (src/deepness/processing/models/model_base.py in
https://github.com/PUTvision/qgis-plugin-deepness): every value is JSON.
"""

from __future__ import annotations

import json
import math

from backend.card.model_card import ModelCard

# Percent of a tile that neighbours share. Tiles are not blended there: half of it is cut off at each edge, where the
# network sees least of what is around.
OVERLAP = 25
# Deepness divides every value by this before it standardises, as if all images had bytes.
BYTES = 255.0


def deepness_metadata(card: ModelCard) -> dict[str, str]:
    """Return name and value of each entry.

    Values in decibels, as a raster has them, are standardised as in training: mean and standard deviation are divided
    by what Deepness divides the values by. It doesn't clip, so the raster must hold clipped values.

    Args:
        card: Card of the model; its probabilities are the only output of the file.
    """
    reach = math.ceil(100 * 2 * card.arch.reach / card.tile)
    values = {
        "model_type": "Segmentor",
        "class_names": {str(number): item.name for number, item in enumerate(card.classes)},
        "resolution": round(card.gsd_m * 100, 6),  # centimetres
        # The plugin reads the first name, its documentation has the second.
        "tile_size": card.tile,
        "tiles_size": card.tile,
        "tiles_overlap": min(max(OVERLAP, reach), 90),
        # Below a threshold Deepness sets all probabilities to 0 and takes the first class: no threshold, no such maps.
        "seg_thresh": 0,
        "seg_small_segment": 0,
        "standardization_mean": [band.mean / BYTES for band in card.bands],
        "standardization_std": [band.std / BYTES for band in card.bands],
    }
    return {name: json.dumps(value) for name, value in values.items()}
