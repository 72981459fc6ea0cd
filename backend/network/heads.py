"""Define the heads: from the tokens of a vision transformer to logits for every pixel.

They differ in what they see in addition to the last tokens. `linear` sees nothing else, so that its score depends on
the backbone. `conv` sees tokens of several depths and smooths as it enlarges. `decoder` sees the image again too, at
full resolution, where edges are; `detail` (backend/network/detail_head.py) only its contrast. `forest`
(backend/network/forest_head.py) is fitted to a user's own samples.
"""

from __future__ import annotations

from typing import Union

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card.arch import Arch
from backend.core.errors import ModelError
from backend.network.detail_head import DetailHead, scale_layers
from backend.network.forest_head import ForestHead

NARROWEST = 16  # channels; fewer at full resolution would be too few for the classes of a legend


class LinearHead(nn.Module):
    """Compute logits from the last tokens alone, bilinearly enlarged: the simplest head.

    Args:
        arch: Sizes.
        classes: Number of logits.
    """

    taps = 1

    def __init__(self, arch: Arch, classes: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(arch.embed_dim, classes, 1)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Return the logits [N, K, H, W] from input [N, B, H, W] and one token grid [N, D, H/p, W/p]."""
        grid: Tensor = self.project(tokens[-1])
        return F.interpolate(grid, size=x.shape[-2:], mode="bilinear", align_corners=False)

    def scale(self, factor: float) -> None:
        """Multiply all logits by a factor from now on."""
        scale_layers([self.project], factor)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    # Batch norm, since its statistics are fixed at inference: group norm would take them from the tile and leave seams.
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.GELU())


class ConvHead(nn.Module):
    """Compute logits from tokens of several depths, doubled in resolution step by step with convolutions between.

    The progressive decoder of SETR (Zheng et al., arXiv 2012.15840, section 3.3, "PUP") on the concatenated tokens of
    several blocks, as in its "MLA". It sees the image through the tokens only.

    Args:
        arch: Sizes; `head_dim` is the width at patch resolution, halved at each doubling of resolution down to 16.
        bands: Input channels.
        patch: Patch side; a power of two.
        classes: Number of logits.
    """

    taps = 4

    def __init__(self, arch: Arch, bands: int, patch: int, classes: int) -> None:
        """Make two convolutions for each resolution above the patch grid; ModelError if the patch is no power of 2."""
        super().__init__()
        levels = patch.bit_length() - 1
        if patch != 1 << levels:
            raise ModelError(
                f"The patch is {patch} pixels; a head of convolutions wants 2, 4, 8, ….", "Use head=linear."
            )
        widths = [max(NARROWEST, arch.head_dim >> (levels - level)) for level in range(levels + 1)]
        self.project = nn.Conv2d(arch.embed_dim * self.taps, widths[-1], 1)
        self.stem = self._make_stem(bands, widths[:-1])
        met = [width if self.stem else 0 for width in widths]
        self.stages = nn.ModuleList(
            nn.Sequential(_conv(widths[level + 1] + met[level], widths[level]), _conv(widths[level], widths[level]))
            for level in reversed(range(levels))
        )
        self.classify = nn.Conv2d(widths[0], classes, 1)

    def _make_stem(self, bands: int, widths: list[int]) -> nn.ModuleList:
        return nn.ModuleList()

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Return the logits [N, K, H, W] from input [N, B, H, W] and `taps` token grids [N, D, H/p, W/p]."""
        height, width = x.shape[-2:]
        skips = []
        for halving in self.stem:
            x = halving(x)
            skips.append(x)
        y: Tensor = self.project(torch.cat(tokens, dim=1))
        for level, stage in zip(reversed(range(len(self.stages))), self.stages):
            y = F.interpolate(y, size=(height >> level, width >> level), mode="bilinear", align_corners=False)
            y = stage(torch.cat((y, skips[level]), dim=1) if skips else y)
        logits: Tensor = self.classify(y)
        return logits

    def scale(self, factor: float) -> None:
        """Multiply all logits by a factor from now on."""
        scale_layers([self.classify], factor)


class DecoderHead(ConvHead):
    """Compute sharp logits: tokens of two depths, refined by a shallow convolutional stem at full resolution.

    Tokens know what a place is but only to a patch; the stem knows where edges are. Each halving of the stem meets
    the tokens on their way up, as in a U-Net (Ronneberger et al., arXiv 1505.04597). Sizes as of `ConvHead`.
    """

    taps = 2

    def _make_stem(self, bands: int, widths: list[int]) -> nn.ModuleList:
        return nn.ModuleList(
            _conv(bands if level == 0 else widths[level - 1], width, 1 if level == 0 else 2)
            for level, width in enumerate(widths)
        )


Head = Union[LinearHead, ConvHead, DetailHead, ForestHead]


def build_head(arch: Arch, bands: int, patch: int, classes: int) -> Head:
    """Return the head that `arch.head` names, with random weights.

    Args:
        arch: Sizes.
        bands: Input channels.
        patch: Patch side in pixels.
        classes: Number of logits.

    Raises:
        ModelError: The head needs a patch that is a power of two.
    """
    # The names are those of `backend.card.arch.HEADS`: a list there, since cards are read without PyTorch.
    if arch.head == "linear":
        return LinearHead(arch, classes)
    if arch.head == "forest":
        return ForestHead(arch, bands, classes)
    if arch.head == "detail":
        return DetailHead(arch, bands, patch, classes)
    return {"conv": ConvHead, "decoder": DecoderHead}[arch.head](arch, bands, patch, classes)
