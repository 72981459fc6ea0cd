"""Turn a teacher's logits into targets: centring keeps one prototype from dominating, sharpening keeps them distinct.

Centring is by a moving centre (DINO, Caron et al., ICCV 2021, section 3.1) or by Sinkhorn and Knopp's algorithm on the
batch (SwAV, Caron et al., NeurIPS 2020; used in DINOv2, Oquab et al., arXiv 2304.07193).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.run.distributed import all_reduce_max, all_reduce_sum
from training.run.pretrain_config import DinoConfig

SINKHORN_ITERATIONS = 3  # of SwAV and DINOv2


class MovingCentre(nn.Module):
    """Subtract from logits a centre that follows their mean, and take the softmax.

    Args:
        out_dim: Number of prototypes.
        momentum: EMA momentum of the centre.
    """

    value: Tensor

    def __init__(self, out_dim: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.zeros(out_dim))

    @torch.no_grad()
    def forward(self, logits: Tensor, temperature: float) -> Tensor:
        """Return targets, float32, of the shape of `logits` [N, K]."""
        return ((logits.float() - self.value) / temperature).softmax(dim=-1)

    @torch.no_grad()
    def update(self, logits: Tensor) -> None:
        """Move the centre towards the mean of `logits` [N, K] over rows and processes; N may differ between processes.

        Called after the loss: the targets of a step use the centre of earlier steps. Without rows the centre stays.
        """
        total = all_reduce_sum(logits.float().sum(dim=0))
        count = all_reduce_sum(torch.tensor(float(len(logits)), device=total.device))
        weight = (1 - self.momentum) * (count > 0)
        self.value.lerp_(total / count.clamp(min=1), weight)


class SinkhornKnopp(nn.Module):
    """Offer `sinkhorn` with the interface of `MovingCentre`; there is no state."""

    @torch.no_grad()
    def forward(self, logits: Tensor, temperature: float) -> Tensor:
        """Return targets, float32, of the shape of `logits` [N, K]."""
        return sinkhorn(logits, temperature)

    def update(self, logits: Tensor) -> None:
        """Do nothing: each batch is centred separately."""


def build_centring(config: DinoConfig) -> MovingCentre | SinkhornKnopp:
    """Build the centring that ``dino.centring`` names."""
    if config.centring == "sinkhorn":
        return SinkhornKnopp()
    return MovingCentre(config.out_dim, config.centre_momentum)


def sinkhorn(logits: Tensor, temperature: float, iterations: int = SINKHORN_ITERATIONS) -> Tensor:
    """Return targets that use all prototypes equally over the rows of all processes (Cuturi 2013; SwAV, section 3.1).

    Logarithms are iterated, as exp(logits / temperature) of large logits would overflow.

    Args:
        logits: [N, K]; N may differ between processes and be 0.
        temperature: Temperature of the teacher.
        iterations: Number of times that prototypes, then rows, are normalised to equal sums.

    Returns:
        float32 [N, K], rows summing to 1.
    """
    scores = logits.float() / temperature
    rows = torch.zeros_like(scores[:, :1])
    prototypes = torch.zeros_like(scores[:1])
    for _ in range(iterations):
        prototypes = _log_sum_of_rows(scores - rows)
        rows = torch.logsumexp(scores - prototypes, dim=1, keepdim=True)
    return (scores - prototypes).softmax(dim=1)


def _log_sum_of_rows(scores: Tensor) -> Tensor:
    mine = torch.logsumexp(scores, dim=0)
    largest = all_reduce_max(mine.clone())
    return largest + all_reduce_sum((mine - largest).exp()).log()
