"""Define the head that classifies tokens, and sharpens the answer by the detail of the image.

What a place is, is read from the tokens alone, by two small layers that are enlarged to pixels. At full resolution
only the difference of the image from its surroundings is seen, in addition to the tokens: edges and single bright
pixels can move a border, and the level of the backscatter can't be read twice. A decoder that sees the image as it is
could fit the levels of the training scenes instead of those of the tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card.arch import Arch

WIDTH = 16  # channels at full resolution


class DetailHead(nn.Module):
    """Compute logits from tokens of two depths, enlarged, plus a correction from the detail of the image.

    Args:
        arch: Sizes; `head_dim` is the width of the hidden layer over tokens.
        bands: Input channels.
        patch: Patch side in pixels.
        classes: Number of logits.
    """

    taps = 2

    def __init__(self, arch: Arch, bands: int, patch: int, classes: int) -> None:
        super().__init__()
        self.surroundings = 2 * patch - 1
        self.hidden = nn.Sequential(nn.Conv2d(arch.embed_dim * self.taps, arch.head_dim, 1), nn.GELU(), nn.Dropout(0.2))
        self.classify = nn.Conv2d(arch.head_dim, classes, 1)
        self.told = nn.Conv2d(arch.head_dim, WIDTH, 1)
        self.detail = nn.Sequential(
            nn.Conv2d(bands, WIDTH, 3, padding=1), nn.GELU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.GELU()
        )
        last = nn.Conv2d(WIDTH, classes, 1)
        for parameter in last.parameters():  # at first the tokens alone answer
            nn.init.zeros_(parameter)
        self.correct = nn.Sequential(nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1), nn.GELU(), last)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Return the logits [N, K, H, W] from input [N, B, H, W] and two token grids [N, D, H/p, W/p]."""
        hidden = self.hidden(torch.cat(tokens, dim=1))
        coarse = torch.cat((self.classify(hidden), self.told(hidden)), dim=1)
        coarse = F.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=False)
        answer, told = coarse[:, :-WIDTH], coarse[:, -WIDTH:]
        logits: Tensor = answer + self.correct(torch.cat((self.detail(x - self._around(x)), told), dim=1))
        return logits

    def scale(self, factor: float) -> None:
        """Multiply all logits by a factor from now on."""
        scale_layers([self.classify, self.correct[-1]], factor)

    def _around(self, x: Tensor) -> Tensor:
        """Average the surroundings of each pixel, one axis after the other; at the edge, those in the tile."""
        side, half = self.surroundings, self.surroundings // 2
        rows = F.avg_pool2d(x, (side, 1), 1, (half, 0), count_include_pad=False)
        return F.avg_pool2d(rows, (1, side), 1, (0, half), count_include_pad=False)


def scale_layers(layers: Iterable[nn.Module], factor: float) -> None:
    """Multiply weights and biases of layers whose outputs add up to logits."""
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                parameter.mul_(factor)
