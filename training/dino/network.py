"""Build the networks of DINO (Caron et al., ICCV 2021): projection head, student and teacher."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from backend.network.timm_import import DropPath, VisionTransformer
from training.dino.levels import statistics
from training.dino.token_scale import TokenScale
from training.run.pretrain_config import DinoConfig


class WeightNormLinear(nn.Module):
    """Apply a linear layer without bias, whose rows are unit vectors times a gain (Salimans & Kingma 2016).

    Args:
        in_dim: Input width.
        out_dim: Number of rows.
        fixed_gain: Keep each gain at 1 (``norm_last_layer`` of DINO, more stable); else it is learnt.
    """

    def __init__(self, in_dim: int, out_dim: int, fixed_gain: bool) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.empty(out_dim, in_dim))
        nn.init.trunc_normal_(self.direction, std=0.02)
        self.gain = nn.Parameter(torch.ones(out_dim, 1), requires_grad=not fixed_gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [..., in_dim] to [..., out_dim]."""
        return F.linear(x, self.gain * F.normalize(self.direction, dim=1))


class DinoHead(nn.Module):
    """Project tokens to prototypes: three layers with GELU, L2-normalised bottleneck, weight-normalised last layer.

    Weights are initialised from a normal distribution with standard deviation 0.02, as in DINO.

    Args:
        in_dim: Width of the backbone.
        config: Widths and ``norm_last_layer``.
    """

    def __init__(self, in_dim: int, config: DinoConfig) -> None:
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
        """Map tokens [N, in_dim] to prototype logits [N, out_dim]; with a fixed gain they are cosines."""
        logits: Tensor = self.last_layer(F.normalize(self.mlp(x), dim=-1))
        return logits


class Outputs(NamedTuple):
    """Hold the outputs of a network for the views of a batch.

    Attributes:
        logits: [V, N, K] prototype logits of the class tokens of all V views.
        tokens: [V, N, D] class tokens.
        patches: [M, K] prototype logits at the masked patches of the global views; None without iBOT or a mask.
        levels: [G, N, P, T] predicted statistics at all P patches of the global views; None without that loss.
    """

    logits: Tensor
    tokens: Tensor
    patches: Tensor | None
    levels: Tensor | None = None


class MultiCropNetwork(nn.Module):
    """Run backbone and head on views of several sizes.

    Args:
        backbone: Accepts any size that is a multiple of the patch.
        head: Maps class tokens [N, D] to [N, K].
        patch_head: Maps patch tokens; None if they use `head`.
        level_head: Maps patch tokens to statistics of backscatter; None without that loss.
        hidden_logits: Whether masked patches have prototype logits (iBOT).
        standardise: Whether class tokens and, with `hidden_logits`, patch tokens are standardised before the heads.
    """

    mask_token: nn.Parameter | None

    def __init__(
        self,
        backbone: VisionTransformer,
        head: DinoHead,
        patch_head: DinoHead | None = None,
        level_head: nn.Linear | None = None,
        hidden_logits: bool = True,
        standardise: bool = False,
    ) -> None:
        super().__init__()
        width = backbone.embed_dim
        self.class_scale = TokenScale(width) if standardise else None
        self.patch_scale = TokenScale(width) if standardise and hidden_logits else None
        self.level_head, self.hidden_logits = level_head, hidden_logits
        self.backbone = backbone
        self.head = head
        self.patch_head = patch_head
        self.register_parameter("mask_token", None)

    def forward(self, groups: Sequence[Tensor], mask: Tensor | None = None, follow: bool = False) -> Outputs:
        """Run views grouped by size: each group [V, N, B, H, W] is one backbone pass.

        Args:
            groups: Global views, then local views.
            mask: bool [V, N, H/p, W/p] of the global views: patches whose outputs are returned. A network with a mask
                token doesn't see them. Local views are never masked.
            follow: Let the scales follow the tokens of these views, before they are used.
        """
        seen = self._tokens(groups[0].flatten(0, 1), mask)
        tokens = [seen[:, 0], *(self._tokens(g.flatten(0, 1))[:, 0] for g in groups[1:] if len(g))]
        views, count = sum(len(g) for g in groups), groups[0].shape[1]
        whole = torch.cat(tokens)
        places = seen[:, self.backbone.num_prefix_tokens :]
        if follow:
            for scale, tokens_of in ((self.class_scale, whole), (self.patch_scale, places.flatten(0, 1))):
                if scale is not None:
                    scale.follow(tokens_of)
        patches = levels = None
        if mask is not None and self.hidden_logits:
            hidden = places[mask.flatten(0, 1).flatten(1)]
            patches = (self.patch_head or self.head)(hidden if self.patch_scale is None else self.patch_scale(hidden))
        if self.level_head is not None:
            levels = self.level_head(places).unflatten(0, groups[0].shape[:2])
        logits = self.head(whole if self.class_scale is None else self.class_scale(whole))
        return Outputs(logits.reshape(views, count, -1), whole.reshape(views, count, -1), patches, levels)

    def _tokens(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        # forward_features of timm, with the mask applied after patch embedding.
        vit = self.backbone
        if mask is None or self.mask_token is None:
            patches = vit.patch_embed(images)
        else:
            hidden = mask.flatten(0, 1)
            # Pixels too: a convolutional stem would show them to the neighbours.
            side = vit.patch_embed.patch_size[0]
            pixels = hidden.repeat_interleave(side, 1).repeat_interleave(side, 2)
            patches = vit.patch_embed(images.masked_fill(pixels[:, None], 0.0))
            patches = torch.where(hidden[..., None], self.mask_token.to(patches.dtype), patches)
        tokens: Tensor = vit.norm(vit.blocks(vit.norm_pre(vit._pos_embed(patches))))
        return tokens

    def scales(self) -> list[TokenScale]:
        """Return what standardises tokens; empty if they are left as they are."""
        return [scale for scale in (self.class_scale, self.patch_scale) if scale is not None]

    def last_layers(self) -> list[WeightNormLinear]:
        """Return the last layers of the heads, which may be frozen at the start of a run."""
        return [head.last_layer for head in (self.head, self.patch_head) if head is not None]


class StudentTeacher(nn.Module):
    """Hold a student, and a teacher that starts as a copy and follows it by EMA.

    The teacher has no gradient, no drop path and no mask token, and stays in evaluation mode.

    Args:
        backbone: A timm vision transformer without drop path.
        embed_dim: Its width.
        config: Heads, drop path and masking.
        bands: Number of input bands.
    """

    def __init__(self, backbone: VisionTransformer, embed_dim: int, config: DinoConfig, bands: int = 2) -> None:
        super().__init__()
        head = DinoHead(embed_dim, config)
        ibot = config.ibot_weight > 0
        patch_head = DinoHead(embed_dim, config) if ibot and not config.ibot_shared_head else None
        count = statistics(bands, config.levels_scales, config.levels_tails)
        level_head = nn.Linear(embed_dim, count) if config.levels_weight > 0 else None
        self.student = MultiCropNetwork(backbone, head, patch_head, level_head, ibot, config.standardise)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False).eval()
        set_drop_path(self.student.backbone, config.drop_path)
        if config.masks:
            self.student.mask_token = nn.Parameter(torch.zeros(embed_dim))

    def train(self, mode: bool = True) -> StudentTeacher:
        """Switch the mode of the student; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    @torch.no_grad()
    def teach(self, groups: Sequence[Tensor], mask: Tensor | None, follow: bool) -> Outputs:
        """Run the teacher on global views, and give the student the scales of its tokens.

        Args:
            groups: The global views.
            mask: Patches whose outputs are returned, as of `MultiCropNetwork`.
            follow: Whether the scales follow these views.
        """
        outputs: Outputs = self.teacher(groups, mask, follow)
        for mine, followed in zip(self.student.scales(), self.teacher.scales()):
            mine.load_state_dict(followed.state_dict())
        return outputs

    @torch.no_grad()
    def update_teacher(self, momentum: float) -> None:
        """Set the teacher to momentum × teacher + (1 − momentum) × student."""
        student = dict(self.student.named_parameters())
        for name, mine in self.teacher.named_parameters():
            mine.lerp_(student[name].detach(), 1 - momentum)


def set_drop_path(backbone: VisionTransformer, rate: float) -> None:
    """Give the blocks of a timm vision transformer stochastic depth, rising from 0 to `rate` (Huang et al. 2016)."""
    blocks = list(backbone.blocks)
    for i, block in enumerate(blocks):
        share = rate * i / max(len(blocks) - 1, 1)
        for name in ("drop_path1", "drop_path2"):
            setattr(block, name, DropPath(share) if share > 0 else nn.Identity())


def parameter_groups(network: nn.Module) -> list[dict[str, object]]:
    """Return two AdamW groups: weights with decay; biases, norms and gains with ``weight_decay`` 0."""
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    plain = [p for name, p in named if p.ndim <= 1 or name.endswith((".bias", ".gain"))]
    kept = {id(p) for p in plain}
    decayed = [p for _, p in named if id(p) not in kept]
    return [{"params": decayed, "decay": True}, {"params": plain, "decay": False, "weight_decay": 0.0}]
