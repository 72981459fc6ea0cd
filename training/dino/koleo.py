"""KoLeo: features pushed apart by the distance to their nearest neighbour (Sablayrolles et al., ICLR 2019).

Used as DINOv2 does (Oquab et al., arXiv 2304.07193, section 4): on the student's class tokens, a view at a time. There
the neighbours are those of one process; here those of the whole batch, so that a run doesn't depend on how many
processes share it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.run.collective import gather_rows

EPSILON = 1e-8  # of DINOv2: keeps the logarithm of two equal features finite


def koleo_loss(features: Tensor) -> Tensor:
    """Kozachenko and Leonenko's estimate of entropy, negated: −mean log of the distance to the nearest neighbour.

    Args:
        features: [N, D] of this process; their directions count. At least two over all processes.

    Returns:
        Scalar for the features of this process, with the gradient of the neighbours of others too.
    """
    mine = F.normalize(features.float(), dim=-1, eps=EPSILON)
    everyone, first = gather_rows(mine)
    with torch.no_grad():
        likeness = mine @ everyone.T
        likeness[:, first : first + len(mine)].fill_diagonal_(-2)  # below every cosine: nobody is its own neighbour
        nearest = likeness.argmax(dim=1)
    distance = F.pairwise_distance(mine, everyone[nearest], eps=EPSILON)
    return -(distance + EPSILON).log().mean()
