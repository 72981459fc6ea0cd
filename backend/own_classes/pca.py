"""Principal components of tokens: hundreds of channels that say much the same become a few dozen that trees can ask."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STEADY = 1e-3  # least deviation of a token's channel: one that never changes must not blow up


@dataclass(frozen=True)
class Components:
    """Principal components of standardised tokens, as one linear map.

    Attributes:
        weight: float32 [C, T].
        bias: float32 [C].
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, tokens: Tensor) -> Tensor:
        """Components [n, C] of tokens [n, T]."""
        return tokens @ self.weight.T + self.bias


class Moments:
    """Mean and covariance of columns, summed up in float64."""

    def __init__(self, width: int) -> None:
        self._count, self._sum, self._product = 0, torch.zeros(width).double(), torch.zeros(width, width).double()

    def add(self, rows: Tensor) -> None:
        """Take some rows, float32 [n, width]."""
        self._count += len(rows)
        self._sum += rows.double().sum(dim=0)
        # Products of a tile's rows are few: float32 will do for these, and takes half the time.
        self._product += (rows.T @ rows).double()

    def components(self, count: int) -> Components:
        """The first components of all rows taken, scaled to unit deviation in each column."""
        total = max(1, self._count)
        mean = self._sum / total
        covariance = self._product / total - mean.outer(mean)
        deviation = covariance.diagonal().clamp_min(0).sqrt().clamp_min(STEADY)
        axes = torch.linalg.eigh(covariance / deviation.outer(deviation)).eigenvectors.flip(1)[:, :count]
        # The sign of an axis is arbitrary; that of its largest part makes it the same everywhere.
        largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
        weight = (axes * largest.sign() / deviation[:, None]).T
        return Components(weight.float(), -(weight @ mean).float())
