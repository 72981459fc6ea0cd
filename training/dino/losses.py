"""Losses of self-distillation: DINO's over views, iBOT's at hidden patches, KoLeo's on class tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.run.distributed import gather_rows

EPSILON = 1e-8  # of DINOv2: keeps the logarithm of two equal features finite


def dino_loss(student: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy over the pairs of different views (Caron et al. 2021, equation 3).

    Args:
        student: logits of all V views [V, N, K]; its first G are the teacher's views, in the same order.
        targets: the teacher's of the G global views [G, N, K].
        temperature: of the student.
    """
    log_p = (student.float() / temperature).log_softmax(dim=-1)
    pairs = -torch.einsum("gnk,vnk->gv", targets, log_p) / student.shape[1]
    same_view = torch.eye(len(targets), len(student), dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(same_view, 0).sum() / (~same_view).sum()


def ibot_loss(student: Tensor, targets: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """Cross-entropy at hidden patches (iBOT, Zhou et al., ICLR 2022): mean of a view, then mean over views.

    A view without a mask counts as 0.

    Args:
        student: logits at the hidden patches [M, K], in the order of ``mask.nonzero()``.
        targets: the teacher's [M, K].
        mask: bool [V, N, rows, columns] with M true.
        temperature: of the student.

    Returns:
        Scalar. Its mean over processes with equal N is that of one process with the whole batch.
    """
    log_p = (student.float() / temperature).log_softmax(dim=-1)
    each = -(targets * log_p).sum(dim=-1)
    per_view = mask.flatten(2).sum(dim=-1).clamp(min=1)
    weights = (1 / per_view)[..., None, None].expand(mask.shape)[mask]
    return (each * weights).sum() / per_view.numel()


def koleo_loss(features: Tensor) -> Tensor:
    """KoLeo (Sablayrolles et al., ICLR 2019): −mean log of the distance to the nearest neighbour.

    This is Kozachenko and Leonenko's estimate of entropy, negated. DINOv2 (Oquab et al., arXiv 2304.07193, section 4)
    takes neighbours from one process; here they come from the whole batch, so that a run doesn't depend on the number
    of processes that share it.

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
