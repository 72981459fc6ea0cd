"""The model card: what a set of weights means. Validated wholly before any tensor is read.

Standard library only, so that anything may read a card without paying for torch.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import ModelError

SCHEMA_VERSION = 1
MAX_CARD_BYTES = 1_000_000
BAND_UNITS = ("db", "linear_power", "amplitude", "coherence")
PRODUCTS = ("gamma0", "sigma0")
TIMM_NAMES = ("vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224")
FINETUNED_HEADS = ("decoder", "conv", "linear")
HEADS = (*FINETUNED_HEADS, "forest")  # "forest" is grown from a user's own samples (training.ownclasses)
MAX_SHARES = 2**23  # of all classes at all nodes of a "forest" together: 32 MB
MAX_CLASSES = 254
MAX_WINDOW = 63
_NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,63}$")
_COLOR = re.compile(r"^#[0-9a-fA-F]{6}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Band:
    """One input band and the fixed scaling that training saw.

    Attributes:
        name: Polarisation or product, such as "VV"; matched against band descriptions.
        unit: Unit in which the card speaks of the band; one of BAND_UNITS.
        clip: Lowest and highest value kept, in dB (coherence: plain).
        mean: Mean after clipping, same unit as clip.
        std: Standard deviation after clipping, same unit as clip; above 0.
    """

    name: str
    unit: str
    clip: tuple[float, float]
    mean: float
    std: float


@dataclass(frozen=True)
class LandCoverClass:
    """One class of the legend.

    Attributes:
        value: Raster value, 1 to 254.
        name: What the legend says.
        color: "#rrggbb".
        group: Classes of one group share their probability when a pixel is decided; see `backend.decide`.
    """

    value: int
    name: str
    color: str
    group: str = ""


@dataclass(frozen=True)
class Arch:
    """The network as a timm name and integers; never a class path.

    Attributes:
        timm: A timm vision-transformer name, one of TIMM_NAMES; the integers below override its sizes.
        embed_dim: Token width.
        depth: Number of transformer blocks.
        heads: Attention heads per block; divides embed_dim.
        registers: Register tokens (Darcet et al. 2023) beside the CLS token.
        head: "decoder" (tokens of two blocks and a full-resolution convolutional stem), "conv" (tokens of several
            blocks, convolutions), "linear" (the last tokens alone) or "forest" (trees on tokens of several blocks,
            backscatter and its windowed statistics, pixel by pixel).
        head_dim: Channel width of the head at patch resolution, for "forest" components of the tokens; "linear" has
            none.
        windows: Sides in pixels, odd and ascending, of the windows of "forest"; the other heads have none.
        trees: Number of trees of "forest".
        tree_nodes: Room for nodes in each tree, inner ones and leaves.
        tree_depth: Most decisions from the root of a tree to a leaf.
        smooth: Side in pixels, odd, of the window over which "forest" averages its probabilities; 1 for none.
    """

    timm: str
    embed_dim: int
    depth: int
    heads: int
    registers: int = 0
    head: str = "decoder"
    head_dim: int = 64
    windows: tuple[int, ...] = ()
    trees: int = 1
    tree_nodes: int = 2
    tree_depth: int = 1
    smooth: int = 1

    @property
    def reach(self) -> int:
        """Pixels around a pixel that its windows and its smoothing look at; tiles must overlap as far."""
        return max(self.windows, default=1) // 2 + self.smooth // 2

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(data: object) -> Arch:
        """Check and build; ModelError on anything unexpected."""
        if isinstance(data, dict) and "windows" in data:
            data = {**data, "windows": tuple(_items(data, "windows", 0, 8))}
        arch: Arch = _build(Arch, data, "arch")
        if arch.timm not in TIMM_NAMES:
            _refuse(f"arch.timm is {arch.timm!r:.60}; known are {', '.join(TIMM_NAMES)}")
        if arch.head not in HEADS:
            _refuse(f"arch.head is {arch.head!r:.60}; known are {', '.join(HEADS)}")
        _between("arch.embed_dim", arch.embed_dim, 8, 4096)
        _between("arch.depth", arch.depth, 1, 64)
        _between("arch.heads", arch.heads, 1, 64)
        _between("arch.registers", arch.registers, 0, 64)
        _between("arch.head_dim", arch.head_dim, 4, 1024)
        if arch.embed_dim % arch.heads:
            _refuse(f"arch.embed_dim {arch.embed_dim} is not a multiple of arch.heads {arch.heads}")
        _check_windows(arch)
        return arch


@dataclass(frozen=True)
class ModelCard:
    """Everything that must be known to run a set of weights and to judge its maps.

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
        metrics: Held-out figures, free-form JSON.
        limits: One line for each thing that the model is known to do badly, or not at all.
        licence: Licence of the weights.
        weights_sha256: Hash of model.safetensors, lower-case hex.
        bears_missing_bands: Whether a raster may lack some of the bands: training hid bands now and then.
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
    bears_missing_bands: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(data: object) -> ModelCard:
        """Check and build a card.

        Raises:
            ModelError: A key is missing or unknown, or a value has the wrong type or lies out of range.
        """
        if not isinstance(data, dict):
            _refuse(f"the card is a JSON {type(data).__name__}, wanted an object")
        version = data.get("schema_version")
        if version != SCHEMA_VERSION:
            _refuse(f"schema_version is {version!r:.40}, this program reads {SCHEMA_VERSION}")
        parts = dict(data)
        parts["bands"] = tuple(_band(item) for item in _items(data, "bands", 1, 64))
        parts["classes"] = tuple(_class(item) for item in _items(data, "classes", 1, MAX_CLASSES))
        parts["trained_on"] = tuple(_items(data, "trained_on", 0, 1000))
        parts["limits"] = tuple(_items({"limits": [], **data}, "limits", 0, 100))
        parts["arch"] = Arch.from_dict(data.get("arch"))
        card: ModelCard = _build(ModelCard, parts, "card")
        _check(card)
        return card

    @staticmethod
    def load(path: Path) -> ModelCard:
        """Read card.json.

        Raises:
            ModelError: The file is missing, too large, not JSON, or its content is not a valid card.
        """
        try:
            if path.stat().st_size > MAX_CARD_BYTES:
                _refuse(f"{path} is larger than {MAX_CARD_BYTES} bytes")
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(
                f"No readable model card at {path} ({error.strerror}).",
                "Choose a folder that holds card.json and model.safetensors.",
            ) from error
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path} is not valid JSON ({error}).", "Copy the model folder again.") from error
        return ModelCard.from_dict(data)

    def save(self, path: Path) -> None:
        """Write card.json, after the same checks as reading."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        ModelCard.from_dict(json.loads(text))
        path.write_text(text + "\n", encoding="utf-8")


def _refuse(found: str) -> typing.NoReturn:
    raise ModelError(f"The model card is not usable: {found}.", "Copy the model folder again, or choose another model.")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # nan isn't either
        _refuse(f"{name} is {value!r:.60}, wanted {low} to {high}")


def _items(data: dict[str, Any], key: str, low: int, high: int) -> list[Any]:
    items = data.get(key)
    if not isinstance(items, (list, tuple)) or not low <= len(items) <= high:
        found = len(items) if isinstance(items, (list, tuple)) else type(items).__name__
        _refuse(f"{key} is a list of {low} to {high} entries, found {found}")
    return list(items)


def _build(cls: Any, data: object, where: str) -> Any:
    """A dataclass from a dict with exactly its keys (defaults may be left out) and scalar types checked."""
    if not isinstance(data, dict):
        _refuse(f"{where} is a {type(data).__name__}, wanted an object")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(str(key)[:40] for key in data if key not in fields)
    if unknown:
        _refuse(f"{where} has unknown keys {', '.join(unknown[:5])}")
    hints = typing.get_type_hints(cls)
    for name, item in fields.items():
        if name not in data:
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
                _refuse(f"{where}.{name} is missing")
            continue
        _scalar(f"{where}.{name}", data[name], hints[name])
    values = {name: float(v) if hints[name] is float else v for name, v in data.items()}
    return cls(**values)


def _scalar(name: str, value: object, wanted: Any) -> None:
    ok = {
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and _fits(value)),
        bool: isinstance(value, bool),
        str: isinstance(value, str),
    }.get(wanted, True)
    if not ok:
        _refuse(f"{name} is {value!r:.60}, wanted {wanted.__name__}")


def _fits(value: int) -> bool:
    """Whether a float can hold it: JSON's whole numbers have any number of digits."""
    return abs(value) <= sys.float_info.max


def _band(data: object) -> Band:
    if isinstance(data, dict) and isinstance(data.get("clip"), (list, tuple)):
        data = {**data, "clip": tuple(data["clip"])}
    band: Band = _build(Band, data, "bands[]")
    if not isinstance(band.clip, tuple) or len(band.clip) != 2:
        _refuse(f"band {band.name!r:.40} has clip {band.clip!r:.60}, wanted [low, high]")
    for value in (*band.clip, band.mean, band.std):
        _scalar(f"band {band.name!r:.40}", value, float)
        _between(f"band {band.name!r:.40}", value, -1e6, 1e6)
    if band.unit not in BAND_UNITS:
        _refuse(f"band {band.name!r:.40} has unit {band.unit!r:.40}; known are {', '.join(BAND_UNITS)}")
    if not band.clip[0] < band.clip[1] or band.std <= 0:
        _refuse(f"band {band.name!r:.40} has clip {band.clip} and std {band.std}")
    return band


def _check_windows(arch: Arch) -> None:
    for name, sides in (("arch.windows[]", arch.windows), ("arch.smooth", (arch.smooth,))):
        for side in sides:
            _scalar(name, side, int)
            _between(name, side, 1, MAX_WINDOW)
            if side % 2 == 0:
                _refuse(f"{name} is {side}, wanted an odd number")
    if list(arch.windows) != sorted(set(arch.windows)):
        _refuse(f"arch.windows is {list(arch.windows)}, wanted ascending numbers")
    _between("arch.trees", arch.trees, 1, 1024)
    _between("arch.tree_nodes", arch.tree_nodes, 2, 2**15 - 1)
    _between("arch.tree_depth", arch.tree_depth, 1, 64)


def _check_shares(arch: Arch, classes: int) -> None:
    shares = arch.trees * arch.tree_nodes * classes
    if arch.head == "forest" and shares > MAX_SHARES:
        _refuse(f"arch.trees x arch.tree_nodes x classes is {shares}, wanted at most {MAX_SHARES}")


def _class(data: object) -> LandCoverClass:
    item: LandCoverClass = _build(LandCoverClass, data, "classes[]")
    _between("class value", item.value, 1, 254)
    if not _COLOR.match(item.color):
        _refuse(f"class {item.value} has colour {item.color!r:.40}, wanted #rrggbb")
    if len(item.group) > 100 or not item.group.isprintable():
        _refuse(f"class {item.value} has a group of {len(item.group)} characters or with control characters in it")
    if not 0 < len(item.name) <= 100 or not item.name.isprintable():
        _refuse(f"class {item.value} has a name of {len(item.name)} characters or with control characters in it")
    return item


def _check(card: ModelCard) -> None:
    if not _NAME.match(card.name):
        _refuse(f"name is {card.name!r:.60}, wanted lower-case letters, digits, '_', '-', '.'")
    if not 0 < len(card.title) <= 200 or not card.title.isprintable():
        _refuse("title is empty, too long, or has control characters in it")
    if card.product not in PRODUCTS:
        _refuse(f"product is {card.product!r:.40}; known are {', '.join(PRODUCTS)}")
    if not isinstance(card.metrics, dict) or not all(isinstance(s, str) for s in card.trained_on + card.limits):
        _refuse("metrics is not an object, or trained_on or limits not a list of strings")
    _between("gsd_m", card.gsd_m, 0.1, 10_000)
    _between("patch", card.patch, 1, 64)
    _check_shares(card.arch, len(card.classes))
    _between("tile", card.tile, card.patch, 2048)
    if card.tile % card.patch:
        _refuse(f"tile {card.tile} is not a multiple of patch {card.patch}")
    values = [item.value for item in card.classes]
    if len(set(values)) != len(values):
        _refuse("two classes share one value")
    names = [band.name for band in card.bands]
    if len(set(names)) != len(names):
        _refuse("two bands share one name")
    if not _SHA256.match(card.weights_sha256):
        _refuse("weights_sha256 is not a SHA-256 in lower-case hex")
