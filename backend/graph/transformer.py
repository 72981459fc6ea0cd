"""Build the vision transformer as timm computes it: tokens and the class token's attention of every block.

It is the graph of `backend/network/vit.py`, to which tests compare it in all the shapes that a card can describe.
"""

from __future__ import annotations

from typing import NamedTuple

from backend.card.arch import Arch
from backend.graph.builder import Builder
from backend.graph.graph import INPUT, attention_output, tokens_output

_STEM, _VIT = "backbone.patch_embed", "backbone"


class _Grid(NamedTuple):
    """Hold the names of sizes that are known when tiles come: [n], and [rows, columns] of patches, int64."""

    total: str
    sides: str


def add_transformer(b: Builder, arch: Arch, patch: int) -> None:
    """Add tokens and attention of every block, under the names of their outputs."""
    patches = _embedded(b, arch, patch)
    grid = _Grid(b.sizes(patches, 0, 1), b.sizes(patches, 2, 4))
    x, prefix = _sequence(b, arch, patches, grid), 1 + arch.registers
    for number in range(arch.depth):
        block = f"{_VIT}.blocks.{number}"
        q, k, v = _projected(b, b.layer_norm(x, f"{block}.norm1"), f"{block}.attn.qkv", arch)
        _attention(b, (q, k), number, arch, grid)
        x = b.add("Add", x, _attended(b, (q, k, v), f"{block}.attn.proj", arch))
        hidden = b.gelu(b.linear(b.layer_norm(x, f"{block}.norm2"), f"{block}.mlp.fc1"))
        x = b.add("Add", x, b.linear(hidden, f"{block}.mlp.fc2"))
        tokens = b.rest(b.layer_norm(x, f"{_VIT}.norm"), prefix, 1)
        across = b.add("Transpose", tokens, perm=(0, 2, 1))
        shape = b.join((grid.total, b.numbers([arch.embed_dim]), grid.sides), 0)
        b.add("Reshape", across, shape, name=tokens_output(number))


def _embedded(b: Builder, arch: Arch, patch: int) -> str:
    """Add the embedding of patches, [n, width, rows, columns]."""
    if arch.stem == "patch":
        return b.convolution(INPUT, f"{_STEM}.proj", stride=patch)
    x, halvings = INPUT, patch.bit_length() - 1
    for number in range(halvings):
        x = b.gelu(b.convolution(x, f"{_STEM}.proj.{2 * number}", stride=2))
    x = b.convolution(x, f"{_STEM}.proj.{2 * halvings}")
    return b.add("Add", x, b.convolution(x, f"{_STEM}.near", groups=arch.embed_dim))


def _sequence(b: Builder, arch: Arch, patches: str, grid: _Grid) -> str:
    """Add class token, registers and positions; [n, tokens, width]."""
    flat = b.add("Reshape", patches, b.numbers([0, arch.embed_dim, -1]))
    tokens = b.add("Transpose", flat, perm=(0, 2, 1))
    shape = b.join((grid.total, b.numbers([1, 1])), 0)
    parts = ["cls_token", *(["reg_token"] if arch.registers else [])]
    first = [b.add("Expand", b.constant(f"{_VIT}.{p}", b.tensors[f"{_VIT}.{p}"]), shape) for p in parts]
    x = b.join((*first, tokens))
    if arch.positions == "none":
        return x
    return b.add("Add", x, b.constant(f"{_VIT}.pos_embed", b.tensors[f"{_VIT}.pos_embed"]))


def _projected(b: Builder, x: str, layer: str, arch: Arch) -> tuple[str, str, str]:
    """Add queries, keys and values, [n, heads, tokens, width of a head] each."""
    both, width = b.linear(x, layer), arch.embed_dim
    shape = b.numbers([0, -1, arch.heads, width // arch.heads])
    parts = [b.add("Reshape", b.slice(both, i * width, (i + 1) * width, 2), shape) for i in range(3)]
    q, k, v = (b.add("Transpose", part, perm=(0, 2, 1, 3)) for part in parts)
    return q, k, v


def _scores(b: Builder, q: str, k: str, arch: Arch) -> str:
    products = b.add("MatMul", q, b.add("Transpose", k, perm=(0, 1, 3, 2)))
    scaled = b.add("Mul", products, b.floats((arch.embed_dim // arch.heads) ** -0.5))
    return b.add("Softmax", scaled, axis=-1)


def _attended(b: Builder, parts: tuple[str, str, str], layer: str, arch: Arch) -> str:
    q, k, v = parts
    mixed = b.add("Transpose", b.add("MatMul", _scores(b, q, k, arch), v), perm=(0, 2, 1, 3))
    return b.linear(b.add("Reshape", mixed, b.numbers([0, -1, arch.embed_dim])), layer)


def _attention(b: Builder, parts: tuple[str, str], number: int, arch: Arch, grid: _Grid) -> None:
    """Add the class token's row of the softmax, on the grid of patches: [n, heads, rows, columns]."""
    row = _scores(b, b.slice(parts[0], 0, 1, 2), parts[1], arch)
    shape = b.join((grid.total, b.numbers([arch.heads]), grid.sides), 0)
    b.add("Reshape", b.rest(row, 1 + arch.registers, 3), shape, name=attention_output(number))
