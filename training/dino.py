"""Self-distillation with no labels (DINO, Caron et al., ICCV 2021): head, loss, student and teacher."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.distributed as dist
import torch.nn.functional as F
from timm.layers.drop import DropPath
from torch import Tensor, nn

from training.settings import DinoConfig


def all_reduce_mean(value: Tensor) -> Tensor:
    """Mean of `value` over all processes, in place; unchanged where there is one process."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(value)
        value /= dist.get_world_size()
    return value


class WeightNormLinear(nn.Module):
    """Linear layer without bias whose rows are unit directions times a gain (Salimans & Kingma 2016).

    Args:
        in_dim: input width.
        out_dim: number of rows.
        fixed_gain: keep every gain at 1 (``norm_last_layer`` of DINO, steadier), else learn it.
    """

    def __init__(self, in_dim: int, out_dim: int, fixed_gain: bool) -> None:
        """Directions are drawn as DINO's heads are: normal, cut at two deviations of 0.02."""
        super().__init__()
        self.direction = nn.Parameter(torch.empty(out_dim, in_dim))
        nn.init.trunc_normal_(self.direction, std=0.02)
        self.gain = nn.Parameter(torch.ones(out_dim, 1), requires_grad=not fixed_gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., in_dim] to [..., out_dim]."""
        return F.linear(x, self.gain * F.normalize(self.direction, dim=1))


class DinoHead(nn.Module):
    """Projection head: three layers with GELU, L2-normalised bottleneck, weight-normalised last layer.

    Args:
        in_dim: width of the backbone.
        config: widths and ``norm_last_layer``.
    """

    def __init__(self, in_dim: int, config: DinoConfig) -> None:
        """Weights normal with deviation 0.02, biases 0."""
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(in_dim, config.hidden_dim),
            nn.GELU(),
            nn.Linear(config.hidden_dim, config.hidden_dim),
            nn.GELU(),
            nn.Linear(config.hidden_dim, config.bottleneck_dim),
        )
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.last_layer = WeightNormLinear(config.bottleneck_dim, config.out_dim, config.norm_last_layer)

    def forward(self, x: Tensor) -> Tensor:
        """Map class tokens [N, in_dim] to prototype logits [N, out_dim], cosines where the gain is fixed."""
        logits: Tensor = self.last_layer(F.normalize(self.mlp(x), dim=-1))
        return logits


class MultiCropNetwork(nn.Module):
    """Backbone and head over views of several sizes.

    Args:
        backbone: maps [N, B, H, W] to class tokens [N, D] and takes any size that the patch divides.
        head: maps [N, D] to [N, K].
    """

    def __init__(self, backbone: nn.Module, head: DinoHead) -> None:
        """Take both as they are."""
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, groups: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Run views grouped by size: each group [V, N, B, H, W] is one backbone pass.

        Returns:
            Logits [V of all groups, N, K], and class tokens [V of all groups, N, D].
        """
        tokens = torch.cat([self.backbone(g.flatten(0, 1)) for g in groups if len(g)])
        views, count = sum(len(g) for g in groups), groups[0].shape[1]
        logits = self.head(tokens)
        return logits.reshape(views, count, -1), tokens.reshape(views, count, -1)


class DinoLoss(nn.Module):
    """Cross-entropy between teacher and student over all view pairs, with a centred and sharpened teacher.

    Args:
        out_dim: number of prototypes.
        student_temp: student temperature.
        centre_momentum: EMA momentum of the centre.
    """

    centre: Tensor

    def __init__(self, out_dim: int, student_temp: float, centre_momentum: float) -> None:
        """The centre starts at 0."""
        super().__init__()
        self.student_temp = student_temp
        self.centre_momentum = centre_momentum
        self.register_buffer("centre", torch.zeros(out_dim))

    def probabilities(self, teacher: Tensor, teacher_temp: float) -> Tensor:
        """Teacher targets, float32, the shape of `teacher` [..., K]."""
        return ((teacher.float() - self.centre) / teacher_temp).softmax(dim=-1)

    def forward(self, student: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy over the pairs of different views.

        Args:
            student: logits of all V views [V, N, K]; its first G are the teacher's views, in the same order.
            targets: `probabilities` of the G global views [G, N, K].
        """
        log_p = (student.float() / self.student_temp).log_softmax(dim=-1)
        pairs = -torch.einsum("gnk,vnk->gv", targets, log_p) / student.shape[1]
        same_view = torch.eye(len(targets), len(student), dtype=torch.bool, device=pairs.device)
        return pairs.masked_fill(same_view, 0).sum() / (~same_view).sum()

    @torch.no_grad()
    def update_centre(self, teacher: Tensor) -> None:
        """Move the centre towards the mean of the teacher's logits [G, N, K] over views, samples and processes.

        Called after the loss: the targets of a step are centred by what came before it.
        """
        mean = all_reduce_mean(teacher.float().flatten(0, -2).mean(dim=0))
        self.centre.lerp_(mean, 1 - self.centre_momentum)


class StudentTeacher(nn.Module):
    """Student, and a teacher that starts equal to it and follows by EMA.

    The teacher has no gradient and no drop path; it stays in evaluation mode.

    Args:
        backbone: a timm vision transformer without drop path.
        embed_dim: its width.
        config: head and drop path.
    """

    def __init__(self, backbone: nn.Module, embed_dim: int, config: DinoConfig) -> None:
        """Copy first, then give the student its drop path."""
        super().__init__()
        self.student = MultiCropNetwork(backbone, DinoHead(embed_dim, config))
        self.teacher = copy.deepcopy(self.student).requires_grad_(False).eval()
        set_drop_path(self.student.backbone, config.drop_path)

    def train(self, mode: bool = True) -> StudentTeacher:
        """Switch the student; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    @torch.no_grad()
    def update_teacher(self, momentum: float) -> None:
        """Move the teacher: momentum × teacher + (1 − momentum) × student."""
        for mine, other in zip(self.teacher.parameters(), self.student.parameters()):
            mine.lerp_(other.detach(), 1 - momentum)


def set_drop_path(backbone: nn.Module, rate: float) -> None:
    """Give the blocks of a timm vision transformer stochastic depth, rising from 0 to `rate` (Huang et al. 2016)."""
    blocks = list(backbone.blocks)  # type: ignore[arg-type]
    for i, block in enumerate(blocks):
        share = rate * i / max(len(blocks) - 1, 1)
        for name in ("drop_path1", "drop_path2"):
            setattr(block, name, DropPath(share) if share > 0 else nn.Identity())


def parameter_groups(network: nn.Module) -> list[dict[str, object]]:
    """Two AdamW groups: weights with decay, then biases, norms and gains without (``weight_decay`` 0)."""
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    plain = [p for name, p in named if p.ndim <= 1 or name.endswith((".bias", ".gain"))]
    kept = {id(p) for p in plain}
    decayed = [p for _, p in named if id(p) not in kept]
    return [{"params": decayed, "decay": True}, {"params": plain, "decay": False, "weight_decay": 0.0}]
