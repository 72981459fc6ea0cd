"""Classify a user's own classes: a forest on the tokens and the focal statistics of each pixel.

Tokens of a frozen transformer say what a place looks like to a patch; mean and deviation of backscatter in windows say
it to a pixel. A few dozen samples can't teach convolutions; a forest of randomised trees (Breiman 2001, Machine
Learning 45, 5-32; Geurts et al. 2006, Machine Learning 63, 3-42) learns from them what both together tell.
`python -m backend train` grows it; here it is tensors, so that it runs wherever the transformer does.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card.arch import Arch
from backend.graph.trees import TreeTables
from backend.network.focal import feature_count, validity, window_features, windowed_sum

TINY = 1e-8  # below any probability that matters; keeps logarithms finite
PIXELS = 1024  # that go down all trees at once: their positions stay in a processor's cache


class Trees(TreeTables[Tensor]):
    """Walk down trees with PyTorch."""

    def probabilities(self, columns: Tensor) -> Tensor:
        """Return the mean of the trees' shares, float32 [n, K], of features [F, n]."""
        count, nodes, classes = self.share.shape
        # Whatever a file says, no feature and no node is read that there isn't.
        feature = self.feature.long().clamp(0, len(columns) - 1)
        child = self.child.long().clamp(0, nodes - 2)
        table = self.share.reshape(count * nodes, classes)
        first = torch.arange(count, device=table.device)[:, None] * nodes
        found = []
        for part in torch.split(columns, PIXELS, dim=1):
            place = torch.zeros(count, part.shape[1], dtype=torch.int64, device=part.device)
            for _ in range(self.depth):
                values = part.gather(0, feature.gather(1, place))
                right = values > self.threshold.gather(1, place)
                place = child.gather(1, place) + right
            found.append(F.embedding_bag((place + first).T, table, mode="mean"))
        return torch.cat(found)


class ForestHead(nn.Module):
    """Compute logits of each pixel from tokens of several blocks, the pixel itself and its windowed statistics.

    Args:
        arch: Sizes; `head_dim` linear components of the tokens, `trees` trees of `tree_nodes` nodes.
        bands: Input channels.
        classes: Number of logits.
    """

    taps = 3

    def __init__(self, arch: Arch, bands: int, classes: int) -> None:
        super().__init__()
        self.windows, self.smooth = arch.windows, arch.smooth
        # A linear map and a linear enlargement may change places: at patch resolution the map is cheap.
        self.tokens = nn.Conv2d(arch.embed_dim * self.taps, arch.head_dim, 1)
        self.features = arch.head_dim + feature_count(bands, self.windows)
        self.depth, nodes = arch.tree_depth, arch.tree_nodes
        self.register_buffer("feature", torch.zeros(arch.trees, nodes, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(arch.trees, nodes))
        self.register_buffer("child", torch.zeros(arch.trees, nodes, dtype=torch.int16))
        self.register_buffer("share", torch.full((arch.trees, nodes, classes), 1 / classes))

    @property
    def trees(self) -> Trees:
        feature, threshold, child, share = map(self.get_buffer, ("feature", "threshold", "child", "share"))
        return Trees(feature, threshold, child, share, self.depth)

    def forward(self, x: Tensor, tokens: list[Tensor]) -> Tensor:
        """Return logits [N, K, H, W] (logarithms of probabilities) from input [N, B, H, W] and `taps` token grids."""
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
