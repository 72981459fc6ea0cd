"""Build the network that fine-tuning starts from: a pre-training run, a model folder, or random weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from backend.card.arch import Arch
from backend.card.model_card import Band, LandCoverClass, ModelCard
from backend.card.registry import CARD
from backend.core.errors import InputError
from backend.network.vit import SarViT
from backend.network.weights import load_model
from training.dino.backbone import FACTS, check_tile, load_backbone, resampled
from training.run.common_config import ModelConfig
from training.run.config import resolve

SCRATCH, RANDOM_FROZEN = "none", "random-frozen"


@dataclass(frozen=True)
class InitialNetwork:
    """Hold a network that is to be fine-tuned.

    Attributes:
        model: The network; its head has random weights.
        arch: Its sizes.
        bands: Its input bands.
        frozen: Whether the backbone must not be trained.
        origin: One line for the card.
    """

    model: SarViT
    arch: Arch
    bands: tuple[Band, ...]
    frozen: bool
    origin: str


def start_from(
    backbone: str, defaults: ModelConfig, head: str, head_dim: int, tile: int, classes: int
) -> InitialNetwork:
    """Build the network.

    Args:
        backbone: Folder of a pre-training run or of a model, "none" (random weights, trained) or "random-frozen".
        defaults: Sizes and bands of random weights.
        head: One of backend.card.arch.FINETUNED_HEADS.
        head_dim: Width of the head.
        tile: Side in pixels of the input, a multiple of the patch.
        classes: Number of classes.

    Raises:
        InputError: `backbone` is neither a known word nor such a folder.
        ModelError: The folder can't be used.
    """
    return build(read_source(backbone, defaults, tile), head, head_dim, tile, classes)


def build(source: Source, head: str, head_dim: int, tile: int, classes: int) -> InitialNetwork:
    """Build the network from a backbone that was read; for the other arguments see `start_from`."""
    # The head is new: fields that describe a forest are left at their defaults.
    old = source.arch
    sizes = (old.timm, old.embed_dim, old.depth, old.heads, old.registers, old.stem, old.positions)
    arch = Arch(*sizes, head, head_dim)
    model = SarViT(arch, len(source.bands), tile, source.patch, classes)
    if source.weights:
        model.backbone.load_state_dict(source.weights, strict=True)
    return InitialNetwork(model, arch, source.bands, source.frozen, source.origin)


def given_folder(backbone: str) -> Path | None:
    """Return the folder that a backbone is read from; None for random weights."""
    return None if backbone in (SCRATCH, RANDOM_FROZEN) else Path(backbone)


class Source(NamedTuple):
    """Hold a backbone as it was read; without weights it is random."""

    arch: Arch
    bands: tuple[Band, ...]
    patch: int
    weights: dict[str, Tensor]
    frozen: bool
    origin: str


def patch_of(folder: Path) -> int:
    """Return the side of a patch in pixels of a pre-training run or a model.

    Raises:
        SarDinoError: The folder has neither, or it can't be read.
    """
    if not (folder / FACTS).is_file() and (folder / CARD).is_file():
        return ModelCard.load(folder / CARD).patch
    try:
        return int(json.loads((folder / FACTS).read_text(encoding="utf-8"))["patch"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Give the folder of a pre-training run or of a model."
        raise InputError(f"No backbone in {folder} ({error}).", hint) from error


def read_source(backbone: str, defaults: ModelConfig, tile: int) -> Source:
    """Read a backbone; for arguments and errors see `start_from`."""
    if backbone in (SCRATCH, RANDOM_FROZEN):
        frozen = backbone == RANDOM_FROZEN
        origin = "random weights, frozen" if frozen else "random weights (from scratch)"
        return Source(defaults.arch, defaults.bands, defaults.patch, {}, frozen, origin)
    folder = Path(backbone)
    if (folder / FACTS).is_file():
        vit, facts = load_backbone(folder, tile)
        bands = tuple(resolve(Band, band) for band in facts["bands"])
        # Weights of others say where they are from (`training.import_backbone`).
        origin = str(facts.get("origin") or f"DINO pre-training, step {facts.get('step')} of {facts.get('steps')}")
        return Source(Arch.from_dict(facts["arch"]), bands, int(facts["patch"]), vit.state_dict(), False, origin)
    if (folder / CARD).is_file():
        model, card = load_model(folder)
        check_tile(tile, card.patch)
        weights = resampled(model.backbone.state_dict(), model.backbone, tile // card.patch)
        return Source(card.arch, card.bands, card.patch, weights, False, f"model {card.name}")
    raise InputError(
        f"No backbone at {backbone}.",
        f'Give the folder of a pre-training run or of a model, "{SCRATCH}", or "{RANDOM_FROZEN}".',
    )


def carry_head(start: InitialNetwork, backbone: str, classes: Sequence[LandCoverClass]) -> bool:
    """Take over the head of a model if it has the same kind and classes; return whether it was taken.

    This keeps what a model has learnt when it is adapted to a few chips of another region.

    Args:
        start: The network, whose head is changed.
        backbone: As given to `start_from`.
        classes: Legend of the data.

    Raises:
        ModelError: The model can't be read.
    """
    folder = Path(backbone)
    if backbone in (SCRATCH, RANDOM_FROZEN) or (folder / FACTS).is_file() or not (folder / CARD).is_file():
        return False
    old, card = load_model(folder)
    values = [item.value for item in card.classes]
    same = card.arch == start.arch and values == [item.value for item in classes]
    if same:
        start.model.head.load_state_dict(old.head.state_dict())
    return same
