"""Compute the loss of fine-tuning: cross-entropy of classes, and of groups of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from backend.card.model_card import LandCoverClass
from backend.stream.decision import by_groups, group_indices
from training.landcover.chips import LabelledChip

IGNORE = -1
_POWERS = {"none": 0.0, "sqrt": -0.5, "inverse": -1.0}


def balance(counts: Sequence[float], how: str) -> Tensor:
    """Return the weight of each class from its number of pixels, with mean 1 over pixels; float32 [K].

    Args:
        counts: Pixels of each class, at least one above 0.
        how: "none", "sqrt" (inverse square root of frequency) or "inverse".
    """
    share = np.maximum(np.asarray(counts, dtype=np.float64) / np.sum(counts), 1e-6)
    raw = share ** _POWERS[how]
    return torch.tensor(raw / (raw * share).sum(), dtype=torch.float32)


def count_pixels(chips: Sequence[LabelledChip], classes: int) -> list[float]:
    """Return the labelled share of each class in what is drawn.

    A chip counts by how often it is drawn, not by its size: each draw takes one crop of it.
    """
    seen = np.zeros(classes)
    for chip in chips:
        seen += chip.weight * np.bincount(chip.target[chip.target >= 0], minlength=classes) / chip.target.size
    return [float(value) for value in seen]


class LandCoverLoss(nn.Module):
    """Add to the cross-entropy of classes `group_weight` times that of groups, whose probability is a sum of classes.

    Classes of a group overlap in backscatter, and most of the gradient of the first term goes into separating them. The
    second term rewards the right group.

    Args:
        classes: Legend; classes without a group are a group each.
        counts: Pixels of each class in the training data.
        how: Balance of classes and of groups, see `balance`.
        smoothing: Label smoothing of the first term.
        group_weight: Weight of the second term; 0 leaves it out, as does a legend without groups.
    """

    weights: Tensor
    group_weights: Tensor
    membership: Tensor

    def __init__(
        self,
        classes: Sequence[LandCoverClass],
        counts: Sequence[float],
        how: str,
        smoothing: float,
        group_weight: float,
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        groups = group_indices(classes)
        number = max(groups) + 1
        self.group_weight = group_weight if by_groups(classes) else 0.0
        self.register_buffer("weights", balance(counts, how))
        self.register_buffer("membership", torch.tensor(groups))
        sums = [sum(c for c, g in zip(counts, groups) if g == group) for group in range(number)]
        self.register_buffer("group_weights", balance(sums, how))

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss over labelled pixels.

        Args:
            logits: float32 [N, K, H, W].
            targets: int64 [N, H, W], IGNORE where unlabelled; at least one pixel is labelled.
        """
        loss = F.cross_entropy(
            logits, targets, weight=self.weights, ignore_index=IGNORE, label_smoothing=self.smoothing
        )
        if not self.group_weight:
            return loss
        log_p = logits.log_softmax(dim=1)
        by_group = [log_p[:, self.membership == group].logsumexp(dim=1) for group in range(len(self.group_weights))]
        wanted = torch.where(targets == IGNORE, IGNORE, self.membership[targets.clamp(min=0)])
        groups = F.nll_loss(torch.stack(by_group, dim=1), wanted, weight=self.group_weights, ignore_index=IGNORE)
        return loss + self.group_weight * groups
