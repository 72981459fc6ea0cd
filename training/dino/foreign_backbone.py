"""Turn the weights of someone else's vision transformer into a backbone of this program, exactly or not at all.

Names are those of timm, DINO, DINOv2 and MAE, which agree but for prefixes. Sizes are read from shapes. What this
program's network lacks but can express is folded into other weights: a scale of a block's output (LayerScale),
register tokens and class tokens without positions, a projection without bias. Anything else is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.card.arch import TIMM_NAMES, Arch
from backend.core.errors import InputError, ModelError
from training.dino.foreign_file import ForeignFile

PATCHES = "patch_embed.proj.weight"
HEAD_CHANNELS = 64  # of one attention head in ViT-Ti, -S, -B and -L
# Parts that aren't the backbone: decoders of MAE, heads of DINO and of classifiers, the token of masked patches.
BESIDE = re.compile(r"(decoder|head|mask_token|projector|predictor|fc\.|ibot_)")
_RENAMED = {"register_tokens": "reg_token"}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
_IN_BLOCK = frozenset(
    f"{layer}.{kind}"
    for layer in ("norm1", "norm2", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    for kind in ("weight", "bias")
)
_OUTSIDE = frozenset(
    ("cls_token", "reg_token", "pos_embed", PATCHES, "patch_embed.proj.bias", "norm.weight", "norm.bias")
)
_SCALES = {"ls1.gamma": "attn.proj", "ls2.gamma": "mlp.fc2"}
_AGAIN = "Only plain vision transformers with a class token can be imported; see docs/training.md."


@dataclass(frozen=True)
class Foreign:
    """Hold a translated backbone.

    Attributes:
        arch: Its sizes; the head is the default.
        patch: Side of a patch in pixels.
        tile: Side in pixels of the image whose positions are stored.
        weights: Tensors by the names of `backend.network.vit.build_backbone`.
        left_out: Names of tensors that are not part of it.
    """

    arch: Arch
    patch: int
    tile: int
    weights: dict[str, Tensor]
    left_out: tuple[str, ...]


def find_prefix(names: Sequence[str], wanted: str | None) -> str:
    """Return the prefix of the names of the backbone; of a student and a teacher, the teacher's.

    Args:
        names: Names of all tensors.
        wanted: The prefix, if it is known.

    Raises:
        InputError: There is no vision transformer with that prefix, or there are several.
    """
    found = [name[: -len(PATCHES)] for name in names if name == PATCHES or name.endswith(f".{PATCHES}")]
    if wanted is not None:
        text = wanted if not wanted or wanted.endswith(".") else f"{wanted}."
        found = [prefix for prefix in found if prefix == text]
    teachers = [prefix for prefix in found if "teacher" in prefix.split(".")]
    chosen = found if len(found) == 1 else teachers
    if len(chosen) == 1:
        return chosen[0]
    if found:
        listed = ", ".join(repr(prefix) for prefix in found)
        raise InputError(f"There are several networks, with the prefixes {listed}.", "Choose one with --prefix.")
    raise InputError(
        f"There is no {wanted or ''}…{PATCHES} among {len(names)} tensors ({', '.join(names[:4])}, …).", _AGAIN
    )


def translate(file: ForeignFile, prefix: str, bands: int, heads: int | None) -> Foreign:
    """Read a backbone and translate it.

    Args:
        file: The opened file.
        prefix: As found by `find_prefix`.
        bands: Number of bands that its input must have.
        heads: Number of attention heads, which no shape shows; None for one for each 64 channels.

    Raises:
        InputError: It has another number of bands, or parts that this program's network has not.
        ModelError: Its values can't be used.
    """
    inside = [name for name in file.names if name.startswith(prefix)]
    beside = [name for name in inside if BESIDE.match(name[len(prefix) :])]
    kept = [name for name in inside if name not in set(beside)]
    found = {_rename(name[len(prefix) :]): tensor for name, tensor in file.read(kept).items()}
    depth = _check_names(found)
    arch = _arch(found, depth, heads, bands)
    patch = int(found[PATCHES].shape[-1])
    for index in range(depth):
        _fold(found, f"blocks.{index}.", arch.embed_dim)
    found.setdefault("patch_embed.proj.bias", torch.zeros(arch.embed_dim))
    side = _place_positions(found, arch.registers, arch.embed_dim)
    tile = side * patch if side else max(1, 224 // patch) * patch
    left = tuple(name for name in file.names if name not in set(kept))
    return Foreign(arch, patch, tile, found, left)


def _rename(name: str) -> str:
    return _RENAMED.get(name, name)


def _check_names(found: dict[str, Tensor]) -> int:
    """Return the number of blocks; refuse unknown names and missing ones."""
    blocks = {int(match.group(1)) for match in map(_BLOCK.fullmatch, found) if match}
    depth = len(blocks)
    needed = {"cls_token", PATCHES, "norm.weight", "norm.bias"}
    needed |= {f"blocks.{index}.{name}" for index in range(depth) for name in _IN_BLOCK if name != "attn.qkv.bias"}
    known = needed | _OUTSIDE
    known |= {f"blocks.{i}.{name}" for i in range(depth) for name in (*_SCALES, "attn.qkv.bias")}
    unknown, missing = sorted(found.keys() - known), sorted(needed - found.keys())
    if not depth or unknown or missing:
        parts = [f"{len(unknown)} unknown tensors ({', '.join(unknown[:4])})"] * bool(unknown)
        parts += [f"lacks {len(missing)} ({', '.join(missing[:4])})"] * bool(missing)
        raise InputError(f"The network is not a plain one: {'; '.join(parts) or 'it has no blocks'}.", _AGAIN)
    return depth


def _arch(found: dict[str, Tensor], depth: int, heads: int | None, bands: int) -> Arch:
    width, channels, rows, columns = _shape(found, PATCHES, 4)
    if channels != bands:
        raise InputError(
            f"The network takes {channels} bands, and {bands} are named.",
            "Name its bands in their order with --bands or in the file of --normalisation.",
        )
    if rows != columns:
        raise InputError(f"The network has patches of {rows} x {columns} pixels.", "Only square ones can be imported.")
    hidden = _shape(found, "blocks.0.mlp.fc1.weight", 2)[0]
    if hidden != 4 * width:
        raise InputError(
            f"The network's blocks are {hidden} wide inside, wanted {4 * width}, four times its width.", _AGAIN
        )
    if heads is None and width % HEAD_CHANNELS:
        raise InputError(f"The number of heads of a network of width {width} is unknown.", "Give --heads.")
    registers = _shape(found, "reg_token", 3)[1] if "reg_token" in found else 0
    name = TIMM_NAMES[0 if width <= 192 else 1 if width <= 384 else 2]
    positions = "learned" if "pos_embed" in found else "none"
    sizes = Arch(name, width, depth, heads or width // HEAD_CHANNELS, registers, positions=positions)
    try:
        return Arch.from_dict(sizes.to_dict())
    except ModelError as error:
        found_sizes = error.message.partition(": ")[2]
        raise InputError(f"The network can't be used: {found_sizes}", "Give other --heads, or take another.") from error


def _shape(found: dict[str, Tensor], name: str, sides: int) -> tuple[int, ...]:
    shape = tuple(found[name].shape)
    if len(shape) != sides:
        raise InputError(f"Tensor {name} has the shape {shape}, wanted {sides} dimensions.", _AGAIN)
    return shape


def _fold(found: dict[str, Tensor], block: str, width: int) -> None:
    """Multiply scales of a block into the layers before them, and write a bias of 0 where there is none."""
    found.setdefault(f"{block}attn.qkv.bias", torch.zeros(3 * width))
    for scale, layer in _SCALES.items():
        gamma = found.pop(f"{block}{scale}", None)
        if gamma is None:
            continue
        if gamma.shape != found[f"{block}{layer}.bias"].shape:
            raise InputError(f"Tensor {block}{scale} has the shape {tuple(gamma.shape)}, wanted ({width},).", _AGAIN)
        found[f"{block}{layer}.weight"] = found[f"{block}{layer}.weight"] * gamma[:, None]
        found[f"{block}{layer}.bias"] = found[f"{block}{layer}.bias"] * gamma


def _place_positions(found: dict[str, Tensor], registers: int, width: int) -> int:
    """Give every token a position, 0 to class and register tokens that have none; return patches along a side.

    Raises:
        InputError: The positions are not those of a square of patches, or could be of two.
    """
    if "pos_embed" not in found:
        return 0
    positions = found["pos_embed"]
    one, count, channels = _shape(found, "pos_embed", 3)
    if (one, channels) != (1, width):
        raise InputError(f"The positions have the shape {tuple(positions.shape)}, wanted (1, N, {width}).", _AGAIN)
    # With positions: class and register tokens, the class token alone, or neither.
    fitting = [extra for extra in {1 + registers, 1, 0} if _is_square(count - extra)]
    if len(fitting) != 1:
        raise InputError(
            f"{count} positions are not those of a square of patches, a class token and {registers} registers.", _AGAIN
        )
    none = torch.zeros(1, 1 + registers - fitting[0], width)
    head, patches = positions[:, : fitting[0]], positions[:, fitting[0] :]
    found["pos_embed"] = torch.cat((head, none, patches), dim=1)
    return math.isqrt(count - fitting[0])


def _is_square(count: int) -> bool:
    return count > 0 and math.isqrt(count) ** 2 == count
