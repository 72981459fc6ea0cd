"""Define and check the network sizes of a card. Imports the standard library only."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from backend.card.validation import between, build, items, refuse, scalar

TIMM_NAMES = ("vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224")
FINETUNED_HEADS = ("detail", "decoder", "conv", "linear")
STEMS, POSITIONS = ("patch", "conv"), ("learned", "none")
HEADS = (*FINETUNED_HEADS, "forest")  # "forest" is grown from samples of a user (backend.own_classes)
TAPS = {"detail": 2, "decoder": 2, "conv": 4, "linear": 1, "forest": 3}  # blocks whose tokens a head reads
MAX_SHARES = 2**23  # most class shares at the nodes of a "forest", all trees together: 32 MB
MAX_WINDOW = 63


@dataclass(frozen=True)
class Arch:
    """Hold the sizes of a network: a timm name and integers, never a class path.

    Attributes:
        timm: A timm vision-transformer name, one of TIMM_NAMES; the integers below override its sizes.
        embed_dim: Token width.
        depth: Number of transformer blocks.
        heads: Attention heads per block; divides embed_dim.
        registers: Number of register tokens (Darcet et al. 2023), in addition to the CLS token.
        stem: "patch" (each patch is embedded alone) or "conv" (overlapping convolutions; see `backend.network.stem`).
        positions: "learned" (an embedding for each place of the tile) or "none".
        head: "detail" (tokens of two blocks, sharpened by the contrast of the image), "decoder" (tokens of two blocks
            and a full-resolution convolutional stem), "conv" (tokens of several blocks, convolutions), "linear" (the
            last tokens only) or "forest" (trees per pixel on tokens of several blocks, backscatter and its focal
            statistics).
        head_dim: Channel width of the head at patch resolution; for "forest" the number of components of the tokens;
            unused by "linear".
        windows: Sides in pixels, odd and ascending, of the focal windows of "forest"; the other heads have none.
        trees: Number of trees of "forest".
        tree_nodes: Most nodes of a tree, leaves included.
        tree_depth: Most decisions from the root of a tree to a leaf.
        smooth: Side in pixels, odd, of the window over which "forest" averages its probabilities; 1 for none.
    """

    timm: str
    embed_dim: int
    depth: int
    heads: int
    registers: int = 0
    stem: str = "patch"
    positions: str = "learned"
    head: str = "decoder"
    head_dim: int = 64
    windows: tuple[int, ...] = ()
    trees: int = 1
    tree_nodes: int = 2
    tree_depth: int = 1
    smooth: int = 1

    @property
    def reach(self) -> int:
        """Return by how many pixels focal windows and smoothing reach beyond a pixel; tiles must overlap as far."""
        return max(self.windows, default=1) // 2 + self.smooth // 2

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, ready for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(data: object) -> Arch:
        """Check and build. ModelError if anything is unexpected."""
        if isinstance(data, dict) and "windows" in data:
            data = {**data, "windows": tuple(items(data, "windows", 0, 8))}
        arch: Arch = build(Arch, data, "arch")
        if arch.timm not in TIMM_NAMES:
            refuse(f"arch.timm is {arch.timm!r:.60}; known are {', '.join(TIMM_NAMES)}")
        for name, known in (("head", HEADS), ("stem", STEMS), ("positions", POSITIONS)):
            value = getattr(arch, name)
            if value not in known:
                refuse(f"arch.{name} is {value!r:.60}; known are {', '.join(known)}")
        between("arch.embed_dim", arch.embed_dim, 8, 4096)
        between("arch.depth", arch.depth, 1, 64)
        between("arch.heads", arch.heads, 1, 64)
        between("arch.registers", arch.registers, 0, 64)
        between("arch.head_dim", arch.head_dim, 4, 1024)
        if arch.embed_dim % arch.heads:
            refuse(f"arch.embed_dim {arch.embed_dim} is not a multiple of arch.heads {arch.heads}")
        _check_windows(arch)
        return arch


def _check_windows(arch: Arch) -> None:
    for name, sides in (("arch.windows[]", arch.windows), ("arch.smooth", (arch.smooth,))):
        for side in sides:
            scalar(name, side, int)
            between(name, side, 1, MAX_WINDOW)
            if side % 2 == 0:
                refuse(f"{name} is {side}, wanted an odd number")
    if list(arch.windows) != sorted(set(arch.windows)):
        refuse(f"arch.windows is {list(arch.windows)}, wanted ascending numbers")
    between("arch.trees", arch.trees, 1, 1024)
    between("arch.tree_nodes", arch.tree_nodes, 2, 2**15 - 1)
    between("arch.tree_depth", arch.tree_depth, 1, 64)


def check_shares(arch: Arch, classes: int) -> None:
    """Refuse a "forest" with more than MAX_SHARES class shares."""
    shares = arch.trees * arch.tree_nodes * classes
    if arch.head == "forest" and shares > MAX_SHARES:
        refuse(f"arch.trees x arch.tree_nodes x classes is {shares}, wanted at most {MAX_SHARES}")
