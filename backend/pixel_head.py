"""The head for classes of a user's own: small networks on the tokens and the windowed backscatter of each pixel.

Tokens of a frozen transformer say what a place looks like to a patch; mean and deviation of backscatter in windows say
it to a pixel, as the features of the random forests do that radar analysts know. A few dozen samples can't teach
convolutions, but several small networks (multi-layer perceptrons), averaged, learn from both (Lakshminarayanan et al.,
arXiv 1612.01474, "deep ensembles"). `training.ownclasses` fits them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card import Arch

TINY = 1e-8  # below any probability that matters; keeps logarithms finite


class PixelHead(nn.Module):
    """Logits of each pixel from tokens of several blocks, the pixel itself and its windowed statistics.

    Args:
        arch: Sizes; `members` networks of `head_dim` hidden channels each.
        bands: Input channels.
        patch: Patch side; not used.
        classes: Number of logits.
    """

    taps = 3

    def __init__(self, arch: Arch, bands: int, patch: int, classes: int) -> None:
        """Two layers, written as 1×1 convolutions of all members at once."""
        super().__init__()
        self.windows, self.smooth, self.members = arch.windows, arch.smooth, arch.members
        hidden = arch.members * arch.head_dim
        # A linear map and a linear enlargement may change places: at patch resolution the map is cheap.
        self.tokens = nn.Conv2d(arch.embed_dim * self.taps, hidden, 1, bias=False)
        self.pixels = nn.Conv2d(feature_count(bands, self.windows), hidden, 1)
        self.classify = nn.Conv2d(hidden, arch.members * classes, 1, groups=arch.members)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits [N, K, H, W] (logarithms of averaged probabilities) from input [N, B, H, W] and `taps` token grids."""
        grid = self.tokens(torch.cat(tokens, dim=1))
        hidden = F.interpolate(grid, size=x.shape[-2:], mode="bilinear", align_corners=False)
        hidden = hidden + self.pixels(window_features(x, self.windows))
        logits = self.classify(F.gelu(hidden)).unflatten(1, (self.members, -1))
        probabilities = logits.float().softmax(dim=2).mean(dim=1)
        if self.smooth > 1:
            valid = validity(x)
            probabilities = windowed_sum(probabilities * valid, self.smooth)
            probabilities = probabilities / windowed_sum(valid, self.smooth).clamp_min(1)
        result: Tensor = probabilities.clamp_min(TINY).log()
        return result


def feature_count(bands: int, windows: Sequence[int]) -> int:
    """Channels of `window_features`."""
    return bands * (1 + 2 * len(windows))


def window_features(x: Tensor, windows: Sequence[int]) -> Tensor:
    """The input, then its mean and its standard deviation in square windows, over valid pixels only.

    Means are of normalised dB, as in the analysts' features that these are, and unlike resampling: dB makes speckle
    additive, so that the deviation measures texture whatever the level.

    Args:
        x: Network input [N, B, H, W]; pixels that are 0 in all bands are invalid (`radiometry.normalise`).
        windows: Sides in pixels, odd. At borders a window holds what lies inside.

    Returns:
        [N, B * (1 + 2 * len(windows)), H, W]; 0 where a window holds no valid pixel.
    """
    valid = validity(x)
    parts = [x]
    for side in windows:
        count = windowed_sum(valid, side).clamp_min(1)
        mean = windowed_sum(x, side) / count
        square = windowed_sum(x * x, side) / count
        parts += [mean, (square - mean * mean).clamp_min(0).sqrt()]
    return torch.cat(parts, dim=1)


def validity(x: Tensor) -> Tensor:
    """1 where a pixel of [N, B, H, W] is valid, else 0; [N, 1, H, W]."""
    return (x != 0).any(dim=1, keepdim=True).to(x.dtype)


def windowed_sum(x: Tensor, side: int) -> Tensor:
    """Sums over square windows of [N, C, H, W], in the same shape; nothing counts beyond the border."""
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, divisor_override=1)
