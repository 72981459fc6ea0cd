"""Combine the losses of a step: DINO over views, with iBOT, KoLeo and local levels if they are on."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from training.dino.centring import build_centring
from training.dino.levels import levels_loss
from training.dino.losses import dino_loss, ibot_loss, koleo_loss
from training.dino.network import Outputs
from training.run.pretrain_config import DinoConfig


class Targets(NamedTuple):
    """Hold the targets of the teacher, as distributions over prototypes.

    Attributes:
        views: float32 [G, N, K], class tokens of the global views.
        patches: float32 [M, K], masked patches; None without iBOT or a mask.
    """

    views: Tensor
    patches: Tensor | None


class Objective(nn.Module):
    """Compute the losses that are on, and the centres of their targets; class and patch tokens have one each.

    Args:
        config: Weights of the losses.

    Attributes:
        weights: Weight of each loss that is on, by name.
    """

    def __init__(self, config: DinoConfig) -> None:
        super().__init__()
        self.config = config
        wanted = {
            "dino": config.dino_weight,
            "ibot": config.ibot_weight,
            "koleo": config.koleo_weight,
            "levels": config.levels_weight,
        }
        self.weights = {name: weight for name, weight in wanted.items() if weight > 0}
        self.centring = build_centring(config)
        self.patch_centring = build_centring(config) if "ibot" in self.weights else None

    def targets(self, teacher: Outputs, temperature: float) -> Targets:
        """Compute targets from the teacher's outputs for the global views."""
        flat = self.centring(teacher.logits.flatten(0, 1), temperature)
        patches = None
        if self.patch_centring is not None and teacher.patches is not None:
            patches = self.patch_centring(teacher.patches, temperature)
        return Targets(flat.reshape(teacher.logits.shape), patches)

    def forward(
        self, student: Outputs, targets: Targets | None, mask: Tensor | None, levels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return each loss that is on by name, without its weight; means over the samples of this process.

        Args:
            student: Outputs for all views.
            targets: Targets of the global views; None while levels alone are learnt.
            mask: bool [G, N, rows, columns], hidden patches; None without masking.
            levels: Wanted statistics at the patches of the global views, as of `LocalLevels`.
        """
        temperature = self.config.student_temp
        losses = {}
        if student.levels is not None and levels is not None:
            losses["levels"] = levels_loss(student.levels, levels)
        if targets is None:
            return losses
        if "dino" in self.weights:
            losses["dino"] = dino_loss(student.logits, targets.views, temperature)
        if mask is not None and student.patches is not None and targets.patches is not None:
            losses["ibot"] = ibot_loss(student.patches, targets.patches, mask, temperature)
        if "koleo" in self.weights:
            # Per view and summed, as in DINOv2: the two views of a sample may be close to each other.
            views = student.tokens[: len(targets.views)].unbind()
            losses["koleo"] = sum((koleo_loss(view) for view in views[1:]), koleo_loss(views[0]))
        return losses

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Add up losses by their weights."""
        terms = [self.weights[name] * loss for name, loss in losses.items()]
        return sum(terms[1:], terms[0])

    def update(self, teacher: Outputs) -> None:
        """Move the centres; called after the loss."""
        self.centring.update(teacher.logits.flatten(0, 1))
        if self.patch_centring is not None and teacher.patches is not None:
            self.patch_centring.update(teacher.patches)
