"""Describe the result of a scene as a STAC item, which is also its entry for the manifest.

STAC 1.1.0 with the extensions projection 2.0.0, classification 2.0.0, file 2.1.0 and processing 1.1.0. The model's own
item, with the MLM extension, is model.json; each result names it by `mlm:name` and a link.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import rasterio

from backend import __version__
from backend.archive.dates import span
from backend.archive.footprint import footprint
from backend.archive.units import Unit, is_remote
from backend.card.mlm import ALWAYS, class_items
from backend.card.model_card import ModelCard

EXTENSIONS = (
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.1.0/schema.json",
)
GEOTIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
PIECE = 2**20


def scene_item(unit: Unit, facts: Mapping[str, Any], card: ModelCard, made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the STAC item of a finished scene as plain types.

    Args:
        unit: The scene.
        facts: Facts of the command's result; outputs are read again for their size and hash.
        card: Card of the model.
        made: Further facts for the manifest, such as task, attempt and worker.

    Raises:
        OSError, RasterioError: An output can't be read.
    """
    paths = {role: Path(path) for role, path in facts["outputs"].items()}
    grid, footprint = _placed(paths["output"])
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": unit.name,
        **footprint,
        "properties": {
            **item_date(unit.date),
            **grid,
            "mlm:name": card.name,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "processing:software": {"SAR Land Cover (DINO)": __version__},
            "sardino:model_sha256": card.weights_sha256,
            "sardino:input": [name if is_remote(name) else os.path.basename(name) for name in unit.recorded],
            **{f"sardino:{key}": facts[key] for key in ("device", "engine", "seconds", "checks")},
            **{f"sardino:{key}": value for key, value in made.items()},
        },
        "links": [
            {"rel": "root", "href": "../../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../../collection.json", "type": "application/json"},
            {"rel": "about", "href": "../../model.json", "type": "application/geo+json", "title": card.title},
        ],
        "collection": "archive",
        "assets": {role: _asset(role, path, card, facts) for role, path in paths.items()},
    }


def item_date(date: str) -> dict[str, Any]:
    """Return the date of an item: a time, the whole day or month, or any time where the date is unknown."""
    times = span(date)
    if times is None:
        return dict(ALWAYS)
    first, last = (time.isoformat(timespec="seconds").replace("+00:00", "Z") for time in times)
    return {"datetime": first} if first == last else {"datetime": None, "start_datetime": first, "end_datetime": last}


def _placed(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the properties of the grid of a raster, and its footprint in degrees, which is null if unknown."""
    with rasterio.open(path) as file:
        crs, transform, height, width = file.crs, file.transform, file.height, file.width
    grid: dict[str, Any] = {"proj:shape": [height, width], "proj:transform": list(transform)[:6]}
    if crs is not None:
        code = crs.to_epsg()
        grid |= {"proj:code": f"EPSG:{code}"} if code else {"proj:code": None, "proj:wkt2": crs.to_wkt()}
    place = footprint(crs, transform, width, height)
    return grid, {"geometry": None} if place is None else {"geometry": place[0], "bbox": list(place[1])}


def _asset(role: str, path: Path, card: ModelCard, facts: Mapping[str, Any]) -> dict[str, Any]:
    digest, size = file_digest(path)
    classes = class_items(card.classes) if role == "output" and facts["classes"] else None
    return {
        "href": f"./{quote(path.name)}",
        "title": role if role != "output" else "main result",
        "type": GEOTIFF,
        "roles": ["data"],
        "file:size": size,
        "file:checksum": f"1220{digest}",
        **({"classification:classes": classes} if classes else {}),
    }


def file_digest(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, in hex, and its bytes. OSError if it can't be read."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size
