"""List the tensors that a card describes: names as in PyTorch, types and shapes. Imports the standard library only."""

from __future__ import annotations

from typing import NamedTuple

from backend.card.arch import TAPS
from backend.card.model_card import ModelCard
from backend.core.errors import ModelError

NARROWEST = 16  # channels of a convolution in a head or a stem, at the least
DETAIL_WIDTH = 16  # channels of the head "detail" at full resolution
FLOAT, WHOLE, SHORT = "float32", "int64", "int16"


class Expected(NamedTuple):
    """Hold type and shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Return its bytes."""
        count = {FLOAT: 4, WHOLE: 8, SHORT: 2}[self.dtype]
        for side in self.shape:
            count *= side
        return count


Found = dict[str, Expected]


def expected_tensors(card: ModelCard) -> Found:
    """Return the tensors of a card's network by name.

    Raises:
        ModelError: The head needs a patch that is a power of two.
    """
    found: Found = {}
    _backbone(found, card)
    _head(found, card)
    return found


def is_weight(name: str) -> bool:
    """Return whether a tensor is a parameter of the network, rather than a table or a statistic."""
    last = name.rpartition(".")[2]
    return last not in ("feature", "threshold", "child", "share", "running_mean", "running_var", "num_batches_tracked")


def _plain(found: Found, name: str, *shape: int) -> None:
    found[name] = Expected(FLOAT, shape)


def _layer(found: Found, name: str, *shape: int) -> None:
    _plain(found, f"{name}.weight", *shape)
    _plain(found, f"{name}.bias", shape[0])


def _backbone(found: Found, card: ModelCard) -> None:
    arch, width, bands = card.arch, card.arch.embed_dim, len(card.bands)
    prefix, stem = 1 + arch.registers, "backbone.patch_embed"
    _plain(found, "backbone.cls_token", 1, 1, width)
    if arch.registers:
        _plain(found, "backbone.reg_token", 1, arch.registers, width)
    if arch.positions == "learned":
        _plain(found, "backbone.pos_embed", 1, prefix + (card.tile // card.patch) ** 2, width)
    if arch.stem == "patch":
        _layer(found, f"{stem}.proj", width, bands, card.patch, card.patch)
    else:
        channels, halvings = bands, card.patch.bit_length() - 1
        for number in range(halvings):
            wanted = max(width >> (halvings - 1 - number), NARROWEST)
            _layer(found, f"{stem}.proj.{2 * number}", wanted, channels, 4, 4)
            channels = wanted
        _layer(found, f"{stem}.proj.{2 * halvings}", width, channels, 1, 1)
        _layer(found, f"{stem}.near", width, 1, 3, 3)
    for number in range(arch.depth):
        block = f"backbone.blocks.{number}"
        _layer(found, f"{block}.norm1", width)
        _layer(found, f"{block}.attn.qkv", 3 * width, width)
        _layer(found, f"{block}.attn.proj", width, width)
        _layer(found, f"{block}.norm2", width)
        _layer(found, f"{block}.mlp.fc1", 4 * width, width)
        _layer(found, f"{block}.mlp.fc2", width, 4 * width)
    _layer(found, "backbone.norm", width)


def _head(found: Found, card: ModelCard) -> None:
    arch, bands, classes = card.arch, len(card.bands), len(card.classes)
    tokens = arch.embed_dim * TAPS[arch.head]
    if arch.head == "linear":
        _layer(found, "head.project", classes, tokens, 1, 1)
    elif arch.head == "detail":
        _layer(found, "head.hidden.0", arch.head_dim, tokens, 1, 1)
        _layer(found, "head.classify", classes, arch.head_dim, 1, 1)
        _layer(found, "head.told", DETAIL_WIDTH, arch.head_dim, 1, 1)
        _layer(found, "head.detail.0", DETAIL_WIDTH, bands, 3, 3)
        _layer(found, "head.detail.2", DETAIL_WIDTH, DETAIL_WIDTH, 3, 3)
        _layer(found, "head.correct.0", DETAIL_WIDTH, 2 * DETAIL_WIDTH, 3, 3)
        _layer(found, "head.correct.2", classes, DETAIL_WIDTH, 1, 1)
    elif arch.head == "forest":
        table = (arch.trees, arch.tree_nodes)
        found["head.feature"], found["head.child"] = Expected(SHORT, table), Expected(SHORT, table)
        _plain(found, "head.threshold", *table)
        _plain(found, "head.share", *table, classes)
        _layer(found, "head.tokens", arch.head_dim, tokens, 1, 1)
    else:
        _convolutions(found, card, tokens)


def _convolutions(found: Found, card: ModelCard, tokens: int) -> None:
    levels = card.patch.bit_length() - 1
    if card.patch != 1 << levels:
        raise ModelError(
            f"The patch is {card.patch} pixels; a head of convolutions wants 2, 4, 8, ….", "Use head=linear."
        )
    widths = [max(NARROWEST, card.arch.head_dim >> (levels - level)) for level in range(levels + 1)]
    met = card.arch.head == "decoder"
    _layer(found, "head.project", widths[-1], tokens, 1, 1)
    if met:
        for level, width in enumerate(widths[:-1]):
            _normalised(found, f"head.stem.{level}", width, widths[level - 1] if level else len(card.bands))
    for stage, level in enumerate(reversed(range(levels))):
        joined = widths[level + 1] + (widths[level] if met else 0)
        _normalised(found, f"head.stages.{stage}.0", widths[level], joined)
        _normalised(found, f"head.stages.{stage}.1", widths[level], widths[level])
    _layer(found, "head.classify", len(card.classes), widths[0], 1, 1)


def _normalised(found: Found, name: str, outputs: int, inputs: int) -> None:
    """Add a convolution of 3 x 3 without bias, and its batch norm."""
    _plain(found, f"{name}.0.weight", outputs, inputs, 3, 3)
    for part in ("weight", "bias", "running_mean", "running_var"):
        _plain(found, f"{name}.1.{part}", outputs)
    found[f"{name}.1.num_batches_tracked"] = Expected(WHOLE, ())
