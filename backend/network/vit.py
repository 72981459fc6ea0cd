"""Define the vision transformer with a per-pixel head, its CLS attention and its tokens.

The backbone is timm's `VisionTransformer` (Dosovitskiy et al., arXiv 2010.11929); the attention read-out follows
DINO (Caron et al., arXiv 2104.14294, section 4.2 and figure 1): the CLS row of a block's softmax.
"""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from backend.card.arch import Arch
from backend.card.model_card import ModelCard
from backend.core.errors import ModelError
from backend.network.heads import build_head
from backend.network.stem import ConvEmbed
from backend.network.timm_import import PatchEmbed, VisionTransformer, timm


def build_backbone(arch: Arch, bands: int, tile: int, patch: int, initialise: bool = True) -> VisionTransformer:
    """Return a timm ViT without classifier, with random weights.

    Args:
        arch: Sizes.
        bands: Input channels.
        tile: Side in pixels for which the positional embedding is stored; others are interpolated to.
        patch: Patch side in pixels.
        initialise: Initialise the weights as timm does; False if weights are loaded next.
    """
    backbone = timm.create_model(
        arch.timm,
        pretrained=False,
        img_size=tile,
        patch_size=patch,
        in_chans=bands,
        embed_dim=arch.embed_dim,
        depth=arch.depth,
        num_heads=arch.heads,
        reg_tokens=arch.registers,
        embed_layer=ConvEmbed if arch.stem == "conv" else PatchEmbed,
        pos_embed="learn" if arch.positions == "learned" else "none",
        num_classes=0,
        dynamic_img_size=True,
        weight_init="" if initialise else "skip",
    )
    if not isinstance(backbone, VisionTransformer):
        raise ModelError(f"{arch.timm} is no vision transformer.", "Name one of timm's vit_ models in the card.")
    return backbone


class SarViT(nn.Module):
    """Run backbone and head on float32 [N, bands, H, W] of `radiometry.prepare`, H and W multiples of the patch.

    Args:
        arch: Sizes.
        bands: Input channels.
        tile: Side in pixels of the stored positional embedding.
        patch: Patch side in pixels.
        classes: Number of logits.
        initialise: As for `build_backbone`.
    """

    def __init__(self, arch: Arch, bands: int, tile: int, patch: int, classes: int, initialise: bool = True) -> None:
        """Build the network with random weights; see `backend.network.weights.load_model` for trained ones."""
        super().__init__()
        self.depth, self.heads, self.patch = arch.depth, arch.heads, patch
        self.backbone = build_backbone(arch, bands, tile, patch, initialise)
        self.head = build_head(arch, bands, patch, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits [N, classes, H, W]."""
        logits: Tensor = self.head(x, self.features(x))
        return logits

    def output(self, x: Tensor, name: str) -> Tensor:
        """Return an output by its name in network.onnx: probabilities, or tokens or attention of a block."""
        kind, _, block = name.partition("_")
        if kind == "probabilities":
            logits: Tensor = self(x)
            return logits.float().softmax(dim=1)
        return self.tokens(x, int(block)) if kind == "tokens" else self.attention(x, int(block))

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the input of the head: normalised patch tokens of evenly spaced blocks, each [N, D, H/p, W/p].

        Apart from `forward` so that a frozen backbone can run without a record for gradients.
        """
        taps = self.head.taps
        return self.grids(x, [max(0, tap * self.depth // taps - 1) for tap in range(1, taps + 1)])

    def tokens(self, x: Tensor, block: int = -1) -> Tensor:
        """Return the normalised patch tokens after a block, [N, D, H/p, W/p]; counted from 0, negative from the end."""
        return self.grids(x, [self._index(block)])[0]

    def attention(self, x: Tensor, block: int = -1) -> Tensor:
        """Return the CLS attention of one block, [N, heads, H/p, W/p].

        The softmax runs over all tokens (CLS and registers too) and only the patch part is returned, so a head sums
        to at most 1. Only this one row of this one block is computed explicitly; the blocks before it stay fused.
        """
        index = self._index(block)
        vit: Any = self.backbone  # timm's modules carry no types of their own
        rows, columns = x.shape[-2] // self.patch, x.shape[-1] // self.patch
        # timm gives the tokens before a block by no public function: these are the first lines of its
        # `forward_intermediates`, the reason why timm is pinned. `test_attention_is_the_cls_row_of_that_block` holds
        # them to its own forward pass.
        x = vit.norm_pre(vit.patch_drop(vit._pos_embed(vit.patch_embed(x))))
        for earlier in vit.blocks[:index]:
            x = earlier(x)
        target = vit.blocks[index]
        x = target.norm1(x)
        layer = target.attn
        n, tokens, _ = x.shape
        q, k, _ = layer.qkv(x).reshape(n, tokens, 3, layer.num_heads, layer.head_dim).permute(2, 0, 3, 1, 4).unbind(0)
        scores = layer.q_norm(q[:, :, :1]) @ layer.k_norm(k).transpose(-2, -1) * layer.scale
        row: Tensor = scores.float().softmax(dim=-1)[:, :, 0, vit.num_prefix_tokens :]
        return row.reshape(n, self.heads, rows, columns)

    def _index(self, block: int) -> int:
        index = block + self.depth if block < 0 else block
        if not 0 <= index < self.depth:
            raise ValueError(f"block {block} of a model with {self.depth} blocks")
        return index

    def grids(self, x: Tensor, indices: list[int]) -> list[Tensor]:
        """Return the normalised patch tokens after some blocks, each [N, D, H/p, W/p]; blocks count from 0."""
        # If a model has fewer blocks than its head has taps, some blocks are read twice.
        blocks = sorted(set(indices))
        found = self.backbone.forward_intermediates(
            x, indices=blocks, norm=True, output_fmt="NCHW", intermediates_only=True, stop_early=True
        )
        grids = cast("list[Tensor]", found)  # not the pair it gives without intermediates_only
        return [grids[blocks.index(index)] for index in indices]


def build_model(card: ModelCard, initialise: bool = True) -> SarViT:
    """Return the network that a card describes, with random weights; `initialise` as of `build_backbone`."""
    return SarViT(card.arch, len(card.bands), card.tile, card.patch, len(card.classes), initialise)
