"""Compute the losses of self-distillation: DINO over views, iBOT at hidden patches, KoLeo on class tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.run.distributed import gather_rows

EPSILON = 1e-8  # as in DINOv2; keeps the logarithm finite for equal features


def dino_loss(student: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Average the cross-entropy over pairs of different views (Caron et al. 2021, equation 3).

    Args:
        student: Logits of all V views [V, N, K]; the first G are the teacher's views, in the same order.
        targets: Targets of the teacher for the G global views [G, N, K].
        temperature: Temperature of the student.
    """
    log_p = (student.float() / temperature).log_softmax(dim=-1)
    pairs = -torch.einsum("gnk,vnk->gv", targets, log_p) / student.shape[1]
    same_view = torch.eye(len(targets), len(student), dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(same_view, 0).sum() / (~same_view).sum()


def ibot_loss(student: Tensor, targets: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """Average the cross-entropy at hidden patches per view, then over views (iBOT, Zhou et al., ICLR 2022).

    A view without a mask counts as 0.

    Args:
        student: Logits at the hidden patches [M, K], in the order of ``mask.nonzero()``.
        targets: Targets of the teacher [M, K].
        mask: bool [V, N, rows, columns] with M true values.
        temperature: Temperature of the student.

    Returns:
        Scalar; its mean over processes of equal N equals the loss of one process with the whole batch.
    """
    log_p = (student.float() / temperature).log_softmax(dim=-1)
    each = -(targets * log_p).sum(dim=-1)
    per_view = mask.flatten(2).sum(dim=-1).clamp(min=1)
    weights = (1 / per_view)[..., None, None].expand(mask.shape)[mask]
    return (each * weights).sum() / per_view.numel()


def koleo_loss(features: Tensor) -> Tensor:
    """Return −mean log of the distance to the nearest neighbour (KoLeo, Sablayrolles et al., ICLR 2019).

    This is Kozachenko and Leonenko's estimate of entropy, negated. DINOv2 (Oquab et al., arXiv 2304.07193, section 4)
    takes neighbours from one process; here they come from the whole batch, so that the number of processes doesn't
    change the result.

    Args:
        features: [N, D] of this process, of which the directions count; at least two over all processes.

    Returns:
        Scalar for the features of this process; gradients also flow to neighbours in other processes.
    """
    mine = F.normalize(features.float(), dim=-1, eps=EPSILON)
    everyone, first = gather_rows(mine)
    with torch.no_grad():
        likeness = mine @ everyone.T
        likeness[:, first : first + len(mine)].fill_diagonal_(
            -2
        )  # below any cosine: a feature is not its own neighbour
        nearest = likeness.argmax(dim=1)
    distance = F.pairwise_distance(mine, everyone[nearest], eps=EPSILON)
    return -(distance + EPSILON).log().mean()
