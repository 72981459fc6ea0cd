"""Define, validate, read and write model cards, which describe weights. A card is validated before any tensor is read.

Imports the standard library only, so that a card can be read without importing torch.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.card.arch import Arch, check_shares
from backend.card.network_file import NetworkFile, check_network_file
from backend.card.validation import between, build, check_ranges, items, refuse, scalar
from backend.core.atomic_files import write_files
from backend.core.errors import ModelError
from backend.core.plain_json import parse_json
from backend.core.regular_file import read_regular_text

SCHEMA_VERSION = 1
MAX_CARD_BYTES = 1_000_000
BAND_UNITS = ("db", "linear_power", "amplitude", "coherence")
PRODUCTS = ("gamma0", "sigma0")
MAX_CLASSES = 254
_NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")
_COLOR = re.compile(r"^#[0-9a-fA-F]{6}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Band:
    """Hold an input band and its fixed scaling, as in training.

    Attributes:
        name: Polarisation or product, such as "VV"; matched against band descriptions.
        unit: Unit of the band; one of BAND_UNITS.
        clip: Lowest and highest value kept, in dB (coherence: as it is).
        mean: Mean after clipping, in the unit of clip.
        std: Standard deviation after clipping, in the unit of clip; above 0.
    """

    name: str
    unit: str
    clip: tuple[float, float]
    mean: float
    std: float


@dataclass(frozen=True)
class LandCoverClass:
    """Hold a class of the legend.

    Attributes:
        value: Raster value, 1 to 254.
        name: Name shown to people.
        color: "#rrggbb".
        group: Name of a group of classes whose probabilities are added for the decision; see
            `backend.stream.decision`.
    """

    value: int
    name: str
    color: str
    group: str = ""


@dataclass(frozen=True)
class ModelCard:
    """Hold the facts needed to run a set of weights and to judge its maps.

    Attributes:
        schema_version: Version of this file format.
        name: Folder-safe identifier (lower case, digits, "_", "-", ".").
        title: Name shown to people.
        bands: Input bands in the order of the network's channels.
        product: Backscatter convention of training, "gamma0" or "sigma0".
        gsd_m: Ground sampling distance (pixel size) in metres.
        arch: Network sizes.
        tile: Side of the square input in pixels; a multiple of patch.
        patch: Patch side in pixels.
        classes: Legend in the order of the logits; value 0 is nodata and never listed.
        trained_on: One line per data source.
        metrics: Held-out scores, free-form JSON.
        limits: One line for each known weakness.
        licence: Licence of the weights.
        weights_sha256: SHA-256 of model.safetensors, lower-case hex.
        allows_missing_bands: Whether a raster may lack some of the bands, because training hid bands at random.
        activation_ranges: Lowest and highest input of layers, by name (`backend.network.int8`); empty if unknown.
        network: The network as ONNX; without a hash where the folder has no such file.
    """

    schema_version: int
    name: str
    title: str
    bands: tuple[Band, ...]
    product: str
    gsd_m: float
    arch: Arch
    tile: int
    patch: int
    classes: tuple[LandCoverClass, ...]
    trained_on: tuple[str, ...]
    metrics: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    licence: str = ""
    weights_sha256: str = "0" * 64
    allows_missing_bands: bool = False
    activation_ranges: dict[str, Any] = field(default_factory=dict)
    network: NetworkFile = field(default_factory=NetworkFile)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, ready for JSON."""
        plain = dataclasses.asdict(self)
        if self.network == NetworkFile():
            del plain["network"]
        return plain

    @staticmethod
    def from_dict(data: object) -> ModelCard:
        """Check and build a card.

        Raises:
            ModelError: A key is missing or unknown, or a value has the wrong type or is out of range.
        """
        if not isinstance(data, dict):
            refuse(f"the card is a JSON {type(data).__name__}, wanted an object")
        version = data.get("schema_version")
        if version != SCHEMA_VERSION:
            refuse(f"schema_version is {version!r:.40}, this program reads {SCHEMA_VERSION}")
        parts = dict(data)
        # Cards of version 0.1 have it under this name.
        if "bears_missing_bands" in parts and "allows_missing_bands" not in parts:
            parts["allows_missing_bands"] = parts.pop("bears_missing_bands")
        parts["bands"] = tuple(_band(item) for item in items(data, "bands", 1, 64))
        parts["classes"] = tuple(_class(item) for item in items(data, "classes", 1, MAX_CLASSES))
        parts["trained_on"] = tuple(items(data, "trained_on", 0, 1000))
        parts["limits"] = tuple(items({"limits": [], **data}, "limits", 0, 100))
        parts["arch"] = Arch.from_dict(data.get("arch"))
        card: ModelCard = build(ModelCard, parts, "card")
        _check(card)
        return card

    @staticmethod
    def load(path: Path) -> ModelCard:
        """Read card.json.

        Raises:
            ModelError: The file is missing, too large, not JSON or not a valid card.
        """
        try:
            if path.stat().st_size > MAX_CARD_BYTES:
                refuse(f"{path} is larger than {MAX_CARD_BYTES} bytes")
            data = parse_json(read_regular_text(path, MAX_CARD_BYTES, "utf-8"))
        except OSError as error:
            raise ModelError(
                f"No readable model card at {path} ({error.strerror}).",
                "Choose a folder that holds card.json and model.safetensors.",
            ) from error
        except ValueError as error:
            raise ModelError(f"{path} is not valid JSON ({error}).", "Copy the model folder again.") from error
        return ModelCard.from_dict(data)

    def to_json(self) -> str:
        """Return the text of card.json, after the same checks as reading."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        ModelCard.from_dict(json.loads(text))
        return text + "\n"

    def save(self, path: Path) -> None:
        """Write card.json atomically. OSError if it can't be written."""
        write_files({path: self.to_json().encode()})


def _band(data: object) -> Band:
    if isinstance(data, dict) and isinstance(data.get("clip"), (list, tuple)):
        data = {**data, "clip": tuple(data["clip"])}
    band: Band = build(Band, data, "bands[]")
    if not isinstance(band.clip, tuple) or len(band.clip) != 2:
        refuse(f"band {band.name!r:.40} has clip {band.clip!r:.60}, wanted [low, high]")
    for value in (*band.clip, band.mean, band.std):
        scalar(f"band {band.name!r:.40}", value, float)
        between(f"band {band.name!r:.40}", value, -1e6, 1e6)
    if band.unit not in BAND_UNITS:
        refuse(f"band {band.name!r:.40} has unit {band.unit!r:.40}; known are {', '.join(BAND_UNITS)}")
    if not band.clip[0] < band.clip[1] or band.std <= 0:
        refuse(f"band {band.name!r:.40} has clip {band.clip} and std {band.std}")
    return band


def _class(data: object) -> LandCoverClass:
    item: LandCoverClass = build(LandCoverClass, data, "classes[]")
    between("class value", item.value, 1, 254)
    if not _COLOR.match(item.color):
        refuse(f"class {item.value} has colour {item.color!r:.40}, wanted #rrggbb")
    if len(item.group) > 100 or not item.group.isprintable():
        refuse(f"class {item.value} has a group of {len(item.group)} characters or with control characters in it")
    if not 0 < len(item.name) <= 100 or not item.name.isprintable():
        refuse(f"class {item.value} has a name of {len(item.name)} characters or with control characters in it")
    return item


def _check(card: ModelCard) -> None:
    if not _NAME.match(card.name):
        refuse(f"name is {card.name!r:.60}, wanted lower-case letters, digits, '_', '-', '.'")
    if not 0 < len(card.title) <= 200 or not card.title.isprintable():
        refuse("title is empty, too long, or has control characters in it")
    if card.product not in PRODUCTS:
        refuse(f"product is {card.product!r:.40}; known are {', '.join(PRODUCTS)}")
    check_ranges(card.activation_ranges)
    check_network_file(card.network)
    if not isinstance(card.metrics, dict) or not all(isinstance(s, str) for s in card.trained_on + card.limits):
        refuse("metrics is not an object, or trained_on or limits not a list of strings")
    between("gsd_m", card.gsd_m, 0.1, 10_000)
    between("patch", card.patch, 1, 64)
    check_shares(card.arch, len(card.classes))
    between("tile", card.tile, card.patch, 2048)
    if card.tile % card.patch:
        refuse(f"tile {card.tile} is not a multiple of patch {card.patch}")
    values = [item.value for item in card.classes]
    if len(set(values)) != len(values):
        refuse("two classes share one value")
    names = [band.name for band in card.bands]
    if len(set(names)) != len(names):
        refuse("two bands share one name")
    if not _SHA256.match(card.weights_sha256):
        refuse("weights_sha256 is not a SHA-256 in lower-case hex")
