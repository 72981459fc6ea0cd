"""Describe a model as a STAC item with the machine learning model (MLM) extension. Imports the standard library only.

STAC 1.1.0, MLM 1.4.0 (https://github.com/stac-extensions/mlm), classification 2.0.0, file 2.1.0. The item says for
which input the network is made and how values are scaled, so that a program which is not ours can run it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from backend.card.model_card import Band, LandCoverClass, ModelCard
from backend.card.model_files import ModelFile, ModelFiles
from backend.card.registry import NETWORK

EXTENSIONS = (
    "https://stac-extensions.github.io/mlm/v1.4.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
)
TASKS = ["semantic-segmentation"]
WORLD = (-180.0, -90.0, 180.0, 90.0)
# A card doesn't limit where and when a model may be used; this is how the extension's best practices say that.
ALWAYS = {"datetime": None, "start_datetime": "1900-01-01T00:00:00Z", "end_datetime": "9999-12-31T23:59:59Z"}
# Licences that are written as STAC wants them; any other text is "other", and stands in the description.
SPDX = frozenset((
    "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", "CC0-1.0", "EUPL-1.2", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
    "GPL-3.0-or-later", "ISC", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MIT", "MPL-2.0", "ODbL-1.0", "PDDL-1.0",
))  # fmt: skip
_BACKBONE, _RANDOM = "Backbone: ", "random weights"
# Multihash: 0x12 for SHA-256, and its length of 0x20 bytes.
_SHA256 = "1220"


def mlm_item(card: ModelCard, files: ModelFiles, base: str = "./") -> dict[str, Any]:
    """Return the STAC item as plain types.

    Args:
        card: The model's card.
        files: Its files.
        base: Path from the item to the files: a relative path or a URL, with a slash at its end.
    """
    west, south, east, north = WORLD
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": card.name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": list(WORLD),
        "properties": {**_common(card), **_model(card, files)},
        "links": [],
        "assets": _assets(card, files, base),
    }


def _common(card: ModelCard) -> dict[str, Any]:
    parts = [
        f"Land cover from {card.product} of {' and '.join(band.name for band in card.bands)} at {card.gsd_m:g} m.",
        *(f"Trained on: {line}" for line in card.trained_on),
        *(f"Limit: {line}" for line in card.limits),
        *([f"Licence: {card.licence}"] if card.licence else []),
    ]
    return {
        "title": card.title,
        "description": "\n".join(parts),
        **ALWAYS,
        "gsd": card.gsd_m,
        **({"license": stac_licence(card.licence)} if card.licence else {}),
        "bands": [_band(band, card.product) for band in card.bands],
    }


def stac_licence(text: str) -> str:
    """Return the SPDX identifier that a licence's text consists of or begins with as a sentence, else "other"."""
    first = re.split(r"[.;,]?(?:\s|$)", text.strip(), maxsplit=1)[0]
    alone = re.match(r"[.;,]|$", text.strip()[len(first) :])
    return first if alone and first in SPDX else "other"


def _band(band: Band, product: str) -> dict[str, Any]:
    coherence = band.unit == "coherence"
    low, high = band.clip
    return {
        "name": band.name,
        "description": f"Coherence {band.name}" if coherence else f"Backscatter ({product}) {band.name} in decibels",
        "unit": "1" if coherence else "dB",
        "data_type": "float32",
        # Statistics of the training data after clipping.
        "statistics": {"minimum": low, "maximum": high, "mean": band.mean, "stddev": band.std},
    }


def _model(card: ModelCard, files: ModelFiles) -> dict[str, Any]:
    return {
        "mlm:name": _mlm_name(card.name),
        "mlm:architecture": "Vision Transformer",
        "mlm:tasks": TASKS,
        "mlm:framework": "PyTorch",
        "mlm:total_parameters": files.parameters,
        **_pretrained(card.trained_on),
        "mlm:hyperparameters": {**card.arch.to_dict(), "patch": card.patch, "tile": card.tile},
        "mlm:input": [_input(card)],
        "mlm:output": [_output(card, files.onnx is not None)],
    }


def _mlm_name(name: str) -> str:
    """Return the name of a card, made to begin with a letter and to end with a letter or digit."""
    text = name.strip("-_.")
    return text if re.fullmatch(r"[a-z][a-z0-9_.-]+[a-z0-9]", text) else f"model-{text or 'unnamed'}"


def _pretrained(trained_on: Sequence[str]) -> dict[str, Any]:
    """Return the facts of the line on the backbone; nothing if there is no such line."""
    for line in trained_on:
        if line.startswith(_BACKBONE):
            source = line[len(_BACKBONE) :]
            scratch = source.startswith(_RANDOM)
            return {"mlm:pretrained": not scratch, "mlm:pretrained_source": None if scratch else source}
    return {}


def _input(card: ModelCard) -> dict[str, Any]:
    coherence = " and coherence as it is" if any(band.unit == "coherence" for band in card.bands) else ""
    absent = " A missing band is 0 after scaling." if card.allows_missing_bands else ""
    return {
        "name": "backscatter",
        "description": (
            f"Backscatter ({card.product}) in decibels{coherence}, {card.gsd_m:g} m a pixel. Other units are converted "
            "to decibels first; averages and resampling are done in linear power, before that. Pixels without data are "
            f"filled from valid neighbours after scaling.{absent} Height and width may be other multiples of "
            f"{card.patch} than {card.tile}."
        ),
        "bands": [band.name for band in card.bands],
        "input": {
            "shape": [-1, len(card.bands), card.tile, card.tile],
            "dim_order": ["batch", "bands", "height", "width"],
            "data_type": "float32",
        },
        "value_scaling": [_scaling(band) for band in card.bands],
        "resize_type": None,
    }


def _scaling(band: Band) -> dict[str, Any]:
    """Return clipping and standardisation as one expression: the extension takes one operation for each band."""
    low, high = band.clip
    expression = f"(clip(A,{low!r},{high!r})-({band.mean!r}))/{band.std!r}"
    return {"type": "processing", "format": "gdal-calc", "expression": expression}


def _output(card: ModelCard, onnx: bool) -> dict[str, Any]:
    scores = "Logits of the classes; their softmax is the probability."
    if onnx:
        scores = f"PyTorch: logits of the classes, whose softmax is the probability. {NETWORK}: probabilities."
    return {
        "name": "classes",
        "description": f"{scores} {_rule(card.classes)} Maps have its value, and 0 where the input has no data.",
        "tasks": TASKS,
        "result": {
            "shape": [-1, len(card.classes), card.tile, card.tile],
            "dim_order": ["batch", "class", "height", "width"],
            "data_type": "float32",
        },
        "classification:classes": class_items(card.classes),
    }


def _rule(classes: Sequence[LandCoverClass]) -> str:
    """Describe how the class of a pixel follows from the probabilities; see `backend.stream.decision`."""
    groups: dict[str, list[int]] = {}
    for item in classes:
        if item.group:
            groups.setdefault(item.group, []).append(item.value)
    if not groups:
        return "The class of a pixel is the likeliest one."
    listed = "; ".join(f"{name} = {', '.join(map(str, values))}" for name, values in groups.items())
    return (
        "The class of a pixel is the likeliest one of the likeliest group, whose probability is the sum of those of "
        f"its classes; a class without a group stands for itself. Groups: {listed}."
    )


def class_items(classes: Sequence[LandCoverClass]) -> list[dict[str, Any]]:
    """Return classes as the classification extension writes them."""
    names = [_identifier(item) for item in classes]
    return [
        {
            "value": item.value,
            "name": name if names.count(name) == 1 else f"{name}-{item.value}",
            # Not as `title`, which readers of the first versions of the classification extension refuse.
            "description": item.name,
            "color_hint": item.color[1:].upper(),
        }
        for item, name in zip(classes, names)
    ]


def _identifier(item: LandCoverClass) -> str:
    """Return the name of a class in the characters that the classification extension takes."""
    plain = unicodedata.normalize("NFKD", item.name).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9a-z]+", "-", plain.lower()).strip("-") or f"class-{item.value}"


def _assets(card: ModelCard, files: ModelFiles, base: str) -> dict[str, Any]:
    # STAC allows bands in the properties only where an asset has bands too.
    model = {"bands": [{"name": band.name} for band in card.bands]}
    assets = {
        "weights": {
            **_asset(files.weights, base, "Weights (safetensors)", "application/octet-stream; framework=pytorch"),
            "roles": ["mlm:model", "mlm:weights", "data"],
            "mlm:artifact_type": "safetensors",
            **model,
        },
        "card": {**_asset(files.card, base, "Model card", "application/json"), "roles": ["metadata"]},
    }
    if files.onnx is not None:
        assets["onnx"] = {
            **_asset(files.onnx, base, "Network (ONNX)", "application/octet-stream; framework=onnx"),
            "roles": ["mlm:model", "mlm:compiled", "data"],
            "mlm:artifact_type": "onnx",
            **model,
        }
    return assets


def _asset(file: ModelFile, base: str, title: str, media_type: str) -> dict[str, Any]:
    return {
        "href": base + quote(file.name),
        "title": title,
        "type": media_type,
        "file:size": file.size,
        "file:checksum": _SHA256 + file.sha256,
    }
