"""Build the heads: from the tokens of blocks to the probabilities of classes for each pixel.

They are the graphs of `backend/network/heads.py`, `detail_head.py` and `forest_head.py`.
"""

from __future__ import annotations

from backend.card.arch import TAPS, Arch
from backend.card.model_card import ModelCard
from backend.card.tensors import DETAIL_WIDTH
from backend.graph.builder import Builder
from backend.graph.focal import valid_pixels, window_features, windowed_sum
from backend.graph.graph import INPUT, PROBABILITIES, tokens_output
from backend.graph.trees import votes

TINY = 1e-8  # as in `backend.network.forest_head`


def add_head(b: Builder, card: ModelCard) -> None:
    """Add the probabilities [n, classes, rows, columns] of a card's head, after the transformer."""
    tokens = b.join([tokens_output(block) for block in tapped_blocks(card.arch)])
    if card.arch.head == "forest":
        _forest(b, card, tokens)
        return
    if card.arch.head == "linear":
        logits = b.enlarge(b.convolution(tokens, "head.project"), card.patch)
    elif card.arch.head == "detail":
        logits = _detail(b, card, tokens)
    else:
        logits = _convolutions(b, card, tokens)
    b.add("Softmax", logits, name=PROBABILITIES, axis=1)


def tapped_blocks(arch: Arch) -> list[int]:
    """Return the blocks whose tokens the head reads, as `SarViT.features` does."""
    taps = TAPS[arch.head]
    return [max(0, tap * arch.depth // taps - 1) for tap in range(1, taps + 1)]


def _convolutions(b: Builder, card: ModelCard, tokens: str) -> str:
    levels, skips = card.patch.bit_length() - 1, []
    if card.arch.head == "decoder":
        x = INPUT
        for level in range(levels):
            layer = f"head.stem.{level}"
            x = b.gelu(b.convolution(x, f"{layer}.0", stride=2 if level else 1, norm=f"{layer}.1"))
            skips.append(x)
    y = b.convolution(tokens, "head.project")
    for stage, level in enumerate(reversed(range(levels))):
        y = b.enlarge(y, 2)
        y = b.join((y, skips[level])) if skips else y
        for half in range(2):
            layer = f"head.stages.{stage}.{half}"
            y = b.gelu(b.convolution(y, f"{layer}.0", norm=f"{layer}.1"))
    return b.convolution(y, "head.classify")


def _detail(b: Builder, card: ModelCard, tokens: str) -> str:
    side, classes = 2 * card.patch - 1, len(card.classes)
    hidden = b.gelu(b.convolution(tokens, "head.hidden.0"))
    coarse = b.join((b.convolution(hidden, "head.classify"), b.convolution(hidden, "head.told")))
    wide = b.enlarge(coarse, card.patch)
    around = b.average(b.average(INPUT, (side, 1), False), (1, side), False)
    seen = b.add("Sub", INPUT, around)
    for layer in ("head.detail.0", "head.detail.2"):
        seen = b.gelu(b.convolution(seen, layer))
    both = b.join((seen, b.slice(wide, classes, classes + DETAIL_WIDTH, 1)))
    correction = b.convolution(b.gelu(b.convolution(both, "head.correct.0")), "head.correct.2")
    return b.add("Add", b.slice(wide, 0, classes, 1), correction)


def _forest(b: Builder, card: ModelCard, tokens: str) -> None:
    wide = b.enlarge(b.convolution(tokens, "head.tokens"), card.patch)
    valid = valid_pixels(b)
    focal = window_features(b, len(card.bands), card.arch.windows, valid)
    found = votes(b, b.join((wide, focal)), card.arch, len(card.classes))
    if card.arch.smooth > 1:
        sums = windowed_sum(b, b.add("Mul", found, valid), card.arch.smooth)
        count = b.add("Max", windowed_sum(b, valid, card.arch.smooth), b.floats(1.0))
        found = b.add("Div", sums, count)
    found = b.add("Max", found, b.floats(TINY))
    total = b.add("ReduceSum", found, b.numbers([1]), keepdims=1)
    b.add("Div", found, total, name=PROBABILITIES)
