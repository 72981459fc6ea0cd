"""Save and load the teacher's backbone for fine-tuning: ``backbone.safetensors`` and ``backbone.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor, nn

from backend.card.arch import Arch
from backend.core.errors import InputError, ModelError
from backend.network.timm_import import VisionTransformer, resample_abs_pos_embed
from backend.network.vit import build_backbone
from training.run.common_config import ModelConfig
from training.run.files import write_text
from training.run.tensor_files import read_tensors, write_tensors

WEIGHTS = "backbone.safetensors"
FACTS = "backbone.json"


def save_backbone(run: Path, backbone: nn.Module, model: ModelConfig, **facts: Any) -> None:
    """Write the weights, and arch, bands, patch and tile (as in the model card) with further `facts`."""
    write_tensors(run / WEIGHTS, backbone.state_dict())
    write_text(run / FACTS, json.dumps({**_described(model), **facts}, indent=2) + "\n")


def _described(model: ModelConfig) -> dict[str, Any]:
    return {
        "arch": model.arch.to_dict(),
        "bands": [dataclasses.asdict(band) for band in model.bands],
        "patch": model.patch,
        "tile": model.tile,
    }


def load_backbone(run: Path, tile: int) -> tuple[VisionTransformer, dict[str, Any]]:
    """Load a pre-trained backbone, with positional embeddings interpolated to images of `tile` pixels.

    Args:
        run: Folder of a pre-training run.
        tile: Side in pixels, a multiple of the patch.

    Returns:
        The backbone on the CPU in evaluation mode, and the content of ``backbone.json``.

    Raises:
        ModelError: Files are missing, damaged or don't fit each other, or the tile is not a multiple of the patch.
    """
    hint = "Give the folder of a finished pre-training run."
    try:
        facts: dict[str, Any] = json.loads((run / FACTS).read_text(encoding="utf-8"))
        tensors = read_tensors(run / WEIGHTS)
        arch, patch, bands = Arch.from_dict(facts["arch"]), int(facts["patch"]), len(facts["bands"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"No readable backbone in {run} ({error}).", hint) from error
    check_tile(tile, patch)
    backbone = build_backbone(arch, bands, tile, patch)
    try:
        backbone.load_state_dict(resampled(tensors, backbone, tile // patch), strict=True)
    except RuntimeError as error:
        raise ModelError(f"{run / WEIGHTS} doesn't fit {FACTS}: {error}.", hint) from error
    return backbone.eval(), facts


def take_weights(backbone: VisionTransformer, run: Path, model: ModelConfig) -> None:
    """Load the weights of another run's backbone into one of the same sizes.

    Raises:
        ModelError: The run has no readable backbone.
        InputError: Its backbone has other sizes, bands or patches.
    """
    found, facts = load_backbone(run, model.tile)
    described = _described(model)
    wanted = {key: described[key] for key in ("arch", "bands", "patch")}
    differing = [key for key, value in wanted.items() if json.loads(json.dumps(value)) != facts[key]]
    if differing:
        raise InputError(
            f"The backbone in {run} has another {' and '.join(differing)} than this run.",
            "Set model as in that run's config.json, or start from random weights.",
        )
    backbone.load_state_dict(found.state_dict())


def check_tile(tile: int, patch: int) -> None:
    """Refuse a tile that is not a multiple of the patch.

    Raises:
        ModelError: The tile is not a multiple of the patch.
    """
    if tile % patch:
        raise ModelError(
            f"The tile of {tile} pixels is not a multiple of the patch of {patch}.", "Choose another tile."
        )


def resampled(tensors: Mapping[str, Tensor], backbone: VisionTransformer, side: int) -> dict[str, Tensor]:
    """Return the weights of a backbone, with positional embeddings interpolated to `side` by `side` patches.

    Args:
        tensors: State of the backbone.
        backbone: A backbone of the same kind, for its prefix tokens.
        side: Patches along a tile.
    """
    state = dict(tensors)
    if "pos_embed" in state:
        # timm gives positional embeddings to class and register tokens, or to none of them.
        prefix = 0 if backbone.no_embed_class else backbone.num_prefix_tokens
        state["pos_embed"] = resample_abs_pos_embed(state["pos_embed"], new_size=[side, side], num_prefix_tokens=prefix)
    return state
