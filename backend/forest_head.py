"""The head for classes of a user's own: a forest on the tokens and the windowed backscatter of each pixel.

Tokens of a frozen transformer say what a place looks like to a patch; mean and deviation of backscatter in windows say
it to a pixel. A few dozen samples can't teach convolutions; a forest of randomised trees (Breiman 2001, Machine
Learning 45, 5-32; Geurts et al. 2006, Machine Learning 63, 3-42) learns from them what both together tell.
`training.ownclasses` grows it; here it is tensors, so that it runs wherever the transformer does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card import Arch
from backend.windows import feature_count, validity, window_features, windowed_sum

TINY = 1e-8  # below any probability that matters; keeps logarithms finite
PIXELS = 1024  # that go down all trees at once: their positions stay in a processor's cache


@dataclass(frozen=True)
class Trees:
    """Complete binary trees of equal depth d, each in the order of a heap: node i has the children 2i + 1, 2i + 2.

    Attributes:
        feature: Which feature decides at each inner node, int16 [T, 2^d - 1].
        threshold: Up to which value it goes left, float32 [T, 2^d - 1].
        leaf: Share of each class at the leaves, float32 [T, 2^d, K].
    """

    feature: Tensor
    threshold: Tensor
    leaf: Tensor

    def probabilities(self, columns: Tensor) -> Tensor:
        """Mean of the trees' shares, float32 [n, K], of features [F, n]."""
        count, leaves, classes = self.leaf.shape
        # Whatever a file says, no feature is read that there isn't.
        feature = self.feature.long().clamp(0, len(columns) - 1)
        table = self.leaf.reshape(count * leaves, classes)
        first = torch.arange(count, device=table.device)[:, None] * leaves
        found = []
        for part in torch.split(columns, PIXELS, dim=1):
            place = torch.zeros(count, part.shape[1], dtype=torch.int64, device=part.device)
            for level in range(leaves.bit_length() - 1):
                nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
                values = part.gather(0, feature[:, nodes].gather(1, place))
                place = 2 * place + (values > self.threshold[:, nodes].gather(1, place))
            found.append(F.embedding_bag((place + first).T, table, mode="mean"))
        return torch.cat(found)


class ForestHead(nn.Module):
    """Logits of each pixel from tokens of several blocks, the pixel itself and its windowed statistics.

    Args:
        arch: Sizes; `head_dim` linear components of the tokens, `trees` trees of `tree_depth` decisions.
        bands: Input channels.
        patch: Patch side; not used.
        classes: Number of logits.
    """

    taps = 3

    def __init__(self, arch: Arch, bands: int, patch: int, classes: int) -> None:
        """Trees that ask nothing and know nothing."""
        super().__init__()
        self.windows, self.smooth = arch.windows, arch.smooth
        # A linear map and a linear enlargement may change places: at patch resolution the map is cheap.
        self.tokens = nn.Conv2d(arch.embed_dim * self.taps, arch.head_dim, 1)
        self.features = arch.head_dim + feature_count(bands, self.windows)
        leaves = 2**arch.tree_depth
        self.register_buffer("feature", torch.zeros(arch.trees, leaves - 1, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(arch.trees, leaves - 1))
        self.register_buffer("leaf", torch.full((arch.trees, leaves, classes), 1 / classes))

    @property
    def trees(self) -> Trees:
        """The forest."""
        return Trees(cast(Tensor, self.feature), cast(Tensor, self.threshold), cast(Tensor, self.leaf))

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Logits [N, K, H, W] (logarithms of averaged probabilities) from input [N, B, H, W] and `taps` token grids."""
        components = self.tokens(torch.cat(tokens, dim=1))
        wide = F.interpolate(components, size=x.shape[-2:], mode="bilinear", align_corners=False)
        features = torch.cat((wide.float(), window_features(x, self.windows).float()), dim=1)
        votes = self.trees.probabilities(features.movedim(1, 0).flatten(1))
        probabilities = votes.reshape(len(x), *x.shape[-2:], -1).movedim(-1, 1)
        if self.smooth > 1:
            valid = validity(x)
            probabilities = windowed_sum(probabilities * valid, self.smooth)
            probabilities = probabilities / windowed_sum(valid, self.smooth).clamp_min(1)
        result: Tensor = probabilities.clamp_min(TINY).log()
        return result
