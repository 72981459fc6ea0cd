"""Where fine-tuning starts from: a pre-training run, a model folder, or random weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.card.arch import Arch
from backend.card.model_card import Band, LandCoverClass, ModelCard
from backend.card.registry import CARD
from backend.core.errors import InputError
from backend.network.vit import SarViT
from backend.network.weights import load_model
from training.dino.backbone import FACTS, check_tile, load_backbone, resampled
from training.run.common_config import ModelConfig

SCRATCH, RANDOM_FROZEN = "none", "random-frozen"


@dataclasses.dataclass(frozen=True)
class Start:
    """A network to be fine-tuned.

    Attributes:
        model: Backbone as named, head random.
        arch: Its sizes, with the head asked for.
        bands: Its input.
        frozen: Whether the backbone must stay as it is.
        origin: One line for the card.
    """

    model: SarViT
    arch: Arch
    bands: tuple[Band, ...]
    frozen: bool
    origin: str


def start_from(backbone: str, defaults: ModelConfig, head: str, head_dim: int, tile: int, classes: int) -> Start:
    """Build the network.

    Args:
        backbone: Folder of a pre-training run or of a model, "none" (random weights, trained) or "random-frozen".
        defaults: Sizes where `backbone` names none.
        head: One of backend.card.model_card.FINETUNED_HEADS.
        head_dim: Width of the head.
        tile: Side in pixels of the input, a multiple of the patch.
        classes: Number of classes.

    Raises:
        InputError: `backbone` is neither of the words nor such a folder.
        ModelError: The folder can't be used.
    """

    def build(arch: Arch, bands: tuple[Band, ...], patch: int, state: Any, frozen: bool, origin: str) -> Start:
        arch = dataclasses.replace(
            arch, head=head, head_dim=head_dim, windows=(), trees=1, tree_nodes=2, tree_depth=1, smooth=1
        )
        model = SarViT(arch, len(bands), tile, patch, classes)
        if state is not None:
            model.backbone.load_state_dict(state, strict=True)
        return Start(model, arch, bands, frozen, origin)

    if backbone in (SCRATCH, RANDOM_FROZEN):
        frozen = backbone == RANDOM_FROZEN
        origin = "random weights, frozen" if frozen else "random weights (from scratch)"
        return build(defaults.arch, defaults.bands, defaults.patch, None, frozen, origin)
    folder = Path(backbone)
    if (folder / FACTS).is_file():
        vit, facts = load_backbone(folder, tile)
        bands = tuple(Band(**{**band, "clip": tuple(band["clip"])}) for band in facts["bands"])
        origin = f"DINO pre-training, step {facts.get('step')} of {facts.get('steps')}"
        return build(Arch.from_dict(facts["arch"]), bands, int(facts["patch"]), vit.state_dict(), False, origin)
    if (folder / CARD).is_file():
        old, card = load_model(folder)
        check_tile(tile, card.patch)
        return _from_model(old, card, tile, build)
    raise InputError(
        f"No backbone at {backbone}.",
        f'Give the folder of a pre-training run or of a model, "{SCRATCH}", or "{RANDOM_FROZEN}".',
    )


def _from_model(old: SarViT, card: ModelCard, tile: int, build: Any) -> Start:
    state = resampled(old.backbone.state_dict(), old.backbone, tile // card.patch)
    start: Start = build(card.arch, card.bands, card.patch, state, False, f"model {card.name}")
    return start


def carry_head(start: Start, backbone: str, classes: Sequence[LandCoverClass]) -> bool:
    """Go on with the head of a model too, where it is of the same kind and for the same classes; true if it was taken.

    What a model has learnt of its classes is kept when it is adapted to a few chips of another region.

    Args:
        start: Its head is changed.
        backbone: As given to `start_from`.
        classes: Legend to be learnt.

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
