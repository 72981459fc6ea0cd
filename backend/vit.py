"""The vision transformer with a per-pixel head, its CLS attention and its tokens.

The backbone is timm's `VisionTransformer` (Dosovitskiy et al., arXiv 2010.11929); the attention read-out follows
DINO (Caron et al., arXiv 2104.14294, section 4.2 and figure 1): the CLS row of a block's softmax.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card import Arch, ModelCard

with warnings.catch_warnings():
    # timm imports torchvision, whose image codecs (never used here) warn where libjpeg is another version.
    warnings.filterwarnings("ignore", message="Failed to load image Python extension")
    import timm
    from timm.models.vision_transformer import VisionTransformer


def build_backbone(arch: Arch, bands: int, tile: int, patch: int) -> VisionTransformer:
    """A timm ViT without classifier, with random weights.

    Args:
        arch: Sizes.
        bands: Input channels.
        tile: Side in pixels for which the positional embedding is stored; others are interpolated to.
        patch: Patch side in pixels.
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
        num_classes=0,
        dynamic_img_size=True,
    )
    assert isinstance(backbone, VisionTransformer)
    return backbone


class LinearHead(nn.Module):
    """Logits from the last tokens alone, bilinearly enlarged: the plainest head there is.

    Args:
        arch: Sizes.
        classes: Number of logits.
    """

    taps = 1

    def __init__(self, arch: Arch, classes: int) -> None:
        """One 1×1 convolution."""
        super().__init__()
        self.project = nn.Conv2d(arch.embed_dim, classes, 1)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits [N, K, H, W] from input [N, B, H, W] and token grids [N, D, H/p, W/p]."""
        grid: Tensor = self.project(tokens[-1])
        return F.interpolate(grid, size=x.shape[-2:], mode="bilinear", align_corners=False)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    # Batch norm, since its statistics are fixed at inference: group norm would take them from the tile and leave seams.
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.GELU())


class DecoderHead(nn.Module):
    """Pixel-sharp logits: tokens of two depths, refined by a shallow convolutional stem at full resolution.

    Tokens know what a place is but only to a patch; the stem knows where edges are. Each halving of the stem meets
    the tokens on their way up, as in a U-Net (Ronneberger et al., arXiv 1505.04597).

    Args:
        arch: Sizes; `head_dim` is the width at patch resolution, halved at each doubling of resolution down to 16.
        bands: Input channels.
        patch: Patch side; a power of two.
        classes: Number of logits.
    """

    taps = 2

    def __init__(self, arch: Arch, bands: int, patch: int, classes: int) -> None:
        """Stem levels from full resolution down to twice the patch grid, and a decoder stage for each."""
        super().__init__()
        levels = patch.bit_length() - 1
        if patch != 1 << levels:
            raise ValueError(f"patch {patch} is not a power of two")
        widths = [max(16, arch.head_dim >> (levels - level)) for level in range(levels + 1)]
        self.project = nn.Conv2d(arch.embed_dim * self.taps, arch.head_dim, 1)
        self.stem = nn.ModuleList(
            _conv(bands if level == 0 else widths[level - 1], widths[level], 1 if level == 0 else 2)
            for level in range(levels)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(_conv(widths[level + 1] + widths[level], widths[level]), _conv(widths[level], widths[level]))
            for level in reversed(range(levels))
        )
        self.classify = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits [N, K, H, W] from input [N, B, H, W] and two token grids [N, D, H/p, W/p]."""
        skips = []
        for level in self.stem:
            x = level(x)
            skips.append(x)
        y: Tensor = self.project(torch.cat(tokens, dim=1))
        for stage, skip in zip(self.stages, reversed(skips)):
            y = F.interpolate(y, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            y = stage(torch.cat((y, skip), dim=1))
        logits: Tensor = self.classify(y)
        return logits


class SarViT(nn.Module):
    """Backbone and head. Input: float32 [N, bands, H, W] of `radiometry.prepare`, H and W multiples of the patch.

    Args:
        arch: Sizes.
        bands: Input channels.
        tile: Side in pixels of the stored positional embedding.
        patch: Patch side in pixels.
        classes: Number of logits.
    """

    def __init__(self, arch: Arch, bands: int, tile: int, patch: int, classes: int) -> None:
        """Random weights; see `backend.weights.load_model` for trained ones."""
        super().__init__()
        self.depth, self.heads, self.patch = arch.depth, arch.heads, patch
        self.backbone = build_backbone(arch, bands, tile, patch)
        self.head: LinearHead | DecoderHead = (
            LinearHead(arch, classes) if arch.head == "linear" else DecoderHead(arch, bands, patch, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes, H, W]."""
        indices = [self.depth - 1] if self.head.taps == 1 else [max(0, self.depth // 2 - 1), self.depth - 1]
        logits: Tensor = self.head(x, self._grids(x, indices))
        return logits

    def tokens(self, x: Tensor, block: int = -1) -> Tensor:
        """Normalised patch tokens after a block, [N, D, H/p, W/p]. Blocks count from 0; negative from the end."""
        return self._grids(x, [self._index(block)])[0]

    def attention(self, x: Tensor, block: int = -1) -> Tensor:
        """CLS attention of one block, [N, heads, H/p, W/p].

        The softmax runs over all tokens (CLS and registers too) and only the patch part is returned, so a head sums
        to at most 1. Only this one row of this one block is computed explicitly; the blocks before it stay fused.
        """
        index = self._index(block)
        vit: Any = self.backbone  # timm's modules carry no types of their own
        rows, columns = x.shape[-2] // self.patch, x.shape[-1] // self.patch
        x = vit.norm_pre(vit._pos_embed(vit.patch_embed(x)))
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

    def _grids(self, x: Tensor, indices: list[int]) -> list[Tensor]:
        grids = self.backbone.forward_intermediates(
            x, indices=sorted(set(indices)), norm=True, output_fmt="NCHW", intermediates_only=True, stop_early=True
        )
        assert isinstance(grids, list)
        # A model of one block taps it twice.
        return grids if len(grids) == len(indices) else [grids[0]] * len(indices)


def build_model(card: ModelCard) -> SarViT:
    """The network that a card describes, with random weights."""
    return SarViT(card.arch, len(card.bands), card.tile, card.patch, len(card.classes))
