"""Standardise tokens before the head, by a mean and deviation that follow the teacher's tokens.

Tokens of a network that has learnt little are nearly alike. Their prototypes then have nearly the same logits, the
teacher's targets are almost uniform, and there is nothing to learn from them. What tokens have in common is taken out
here, so that targets tell images apart from the beginning. DINO's head has batch normalisation as an option for the
same place (Caron et al., ICCV 2021, appendix); a moving mean gives student and teacher the same map, and doesn't depend
on how samples are spread over processes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.run.distributed import all_reduce_sum

MOMENTUM = 0.9
LEAST_VARIANCE = 1e-6


class TokenScale(nn.Module):
    """Subtract a moving mean from tokens, and divide by the moving deviation; at first tokens are left as they are.

    Args:
        dim: Width of tokens.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("variance", torch.ones(dim))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return standardised tokens, float32 [..., dim]."""
        return (tokens.float() - self.mean) / (self.variance + LEAST_VARIANCE).sqrt()

    @torch.no_grad()
    def follow(self, tokens: Tensor) -> None:
        """Move towards the statistics of tokens [N, dim] of all processes; N may differ between them."""
        rows = tokens.float()
        count = all_reduce_sum(torch.tensor(float(len(rows)), device=rows.device)).clamp(min=1)
        # The first batches count alike, so that the start values are forgotten at once.
        self.batches += 1
        weight = (1 / self.batches).clamp(min=1 - MOMENTUM)
        self.mean.lerp_(all_reduce_sum(rows.sum(dim=0)) / count, weight)
        self.variance.lerp_(all_reduce_sum((rows - self.mean).square().sum(dim=0)) / count, weight)
