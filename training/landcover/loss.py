"""Compute the loss of fine-tuning: cross-entropy of classes, and of groups of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from backend.card.model_card import LandCoverClass
from backend.stream.decision import by_groups, group_indices
from training.landcover.chips import IGNORE, LabelledChip, excluded

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

        Where only one class is known that a pixel is not, all others together are the answer: the loss is minus the
        logarithm of the sum of their probabilities.

        Args:
            logits: float32 [N, K, H, W].
            targets: int64 [N, H, W], as in `LabelledChip`; at least one pixel is labelled.
        """
        log_p = logits.log_softmax(dim=1)
        known, negative = targets >= 0, targets < IGNORE
        own = torch.where(known, targets, 0)
        weight = self.weights[own] * known
        picked = log_p.gather(1, own[:, None])[:, 0]
        smooth = (log_p * self.weights[None, :, None, None]).mean(dim=1) * known
        total = -((1 - self.smoothing) * picked * weight + self.smoothing * smooth).sum()
        loss = total + self._not(log_p, torch.where(negative, excluded(targets), 0), negative)
        loss = loss / (weight.sum() + negative.sum())
        if not self.group_weight:
            return loss
        members = [self.membership == group for group in range(len(self.group_weights))]
        by_group = torch.stack([log_p[:, inside].logsumexp(dim=1) for inside in members], dim=1)
        groups = self.membership[own]
        weight = self.group_weights[groups] * known
        return loss - self.group_weight * (
            by_group.gather(1, groups[:, None])[:, 0] * weight
        ).sum() / weight.sum().clamp(min=1e-9)

    @staticmethod
    def _not(log_p: Tensor, index: Tensor, where: Tensor) -> Tensor:
        """Sum the losses of pixels that are known not to be of the class `index`."""
        if not bool(where.any()):
            return log_p.new_zeros(())
        own = torch.arange(log_p.shape[1], device=log_p.device)[None, :, None, None] == index[:, None]
        others = log_p.masked_fill(own, -torch.inf).logsumexp(dim=1)
        return -(others * where).sum()
