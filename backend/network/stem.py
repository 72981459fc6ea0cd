"""Embed patches by overlapping convolutions, so that a token sees its neighbourhood without knowing its position.

Convolutions of stride 2 in place of one of stride 8 (Xiao et al., "Early convolutions help transformers see
better", NeurIPS 2021), and a depthwise convolution over the tokens, which encodes where neighbours are relative to each
other (conditional positional encodings, Chu et al., arXiv 2102.10882). No layer normalises over the image: a token
depends on pixels within `REACH` of it only, and not on what else is in the tile.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from backend.network.timm_import import PatchEmbed

# Pixels by which the sight of a token exceeds a patch of 8 pixels, on each side.
REACH = 15


class ConvEmbed(PatchEmbed):
    """Embed an image as timm's PatchEmbed does, by overlapping convolutions.

    Args:
        kwargs: As of timm's PatchEmbed; the patch is a power of two from 4 on.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        width, side = self.proj.out_channels, self.patch_size[0]
        channels, halvings = self.proj.in_channels, side.bit_length() - 1
        layers: list[nn.Module] = []
        for number in range(halvings):
            wanted = max(width >> (halvings - 1 - number), 16)
            layers += [nn.Conv2d(channels, wanted, 4, stride=2, padding=1), nn.GELU()]
            channels = wanted
        self.proj = nn.Sequential(*layers, nn.Conv2d(channels, width, 1))  # type: ignore[assignment]
        self.near = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, B, H, W] to [N, H/p, W/p, D]."""
        tokens = self.proj(x)
        tokens = tokens + self.near(tokens)
        result: Tensor = self.norm(tokens.permute(0, 2, 3, 1))
        return result
