import copy

import pytest
import torch
from timm.layers import DropPath

from backend.card.arch import Arch
from backend.network.vit import build_backbone
from training.dino.network import DinoHead, MultiCropNetwork, StudentTeacher, WeightNormLinear, parameter_groups
from training.run.pretrain_config import DinoConfig

SMALL = DinoConfig(out_dim=12, hidden_dim=16, bottleneck_dim=8, drop_path=0.2)
ARCH = Arch("vit_tiny_patch16_224", embed_dim=16, depth=3, heads=2)


def _pair() -> StudentTeacher:
    torch.manual_seed(0)
    return StudentTeacher(build_backbone(ARCH, 2, 32, 8), ARCH.embed_dim, SMALL).train()


def test_last_layer_has_unit_rows_and_a_gain_only_when_asked() -> None:
    fixed, free = WeightNormLinear(5, 9, True), WeightNormLinear(5, 9, False)
    rows = fixed(torch.eye(5)).T
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(9))
    assert [name for name, p in fixed.named_parameters() if p.requires_grad] == ["direction"]
    assert [name for name, p in free.named_parameters() if p.requires_grad] == ["direction", "gain"]


def test_head_gives_cosines() -> None:
    logits = DinoHead(16, SMALL)(torch.randn(7, 16) * 100)
    assert logits.shape == (7, 12) and float(logits.detach().abs().max()) <= 1 + 1e-6


def test_teacher_starts_equal_without_gradient_and_drop_path() -> None:
    pair = _pair()
    for mine, other in zip(pair.teacher.parameters(), pair.student.parameters()):
        assert torch.equal(mine, other) and not mine.requires_grad
    assert any(isinstance(m, DropPath) for m in pair.student.modules())
    assert not any(isinstance(m, DropPath) for m in pair.teacher.modules())
    assert pair.student.training and not pair.teacher.training
    assert pair.student.backbone.blocks[-1].drop_path1.drop_prob == pytest.approx(0.2)


def test_teacher_moves_by_ema() -> None:
    pair = _pair()
    with torch.no_grad():
        for p in pair.student.parameters():
            p.add_(1)
    before = copy.deepcopy(list(pair.teacher.parameters()))
    pair.update_teacher(0.9)
    for old, new, student in zip(before, pair.teacher.parameters(), pair.student.parameters()):
        torch.testing.assert_close(new, 0.9 * old + 0.1 * student.detach())


@pytest.mark.parametrize("registers", [0, 3])
def test_views_are_grouped_in_order(registers: int) -> None:
    arch = Arch("vit_tiny_patch16_224", embed_dim=16, depth=3, heads=2, registers=registers)
    network = MultiCropNetwork(build_backbone(arch, 2, 32, 8), DinoHead(16, SMALL)).eval()
    large, small = torch.randn(2, 3, 2, 32, 32), torch.randn(4, 3, 2, 16, 16)
    logits, tokens, patches, levels = network([large, small])
    assert logits.shape == (6, 3, 12) and tokens.shape == (6, 3, 16) and patches is None and levels is None
    torch.testing.assert_close(tokens[1, 2], network.backbone(large[1, 2:3])[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tokens[5, 0], network.backbone(small[3, 0:1])[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits[5, 0], network.head(tokens[5, 0]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [48, 96])
def test_positions_are_interpolated_over_the_whole_view(size: int) -> None:
    """Check that a ramp of stored positions stays a ramp with the same range."""
    backbone = build_backbone(ARCH, 2, 192, 8)
    ramp = torch.linspace(0, 1, 24)
    with torch.no_grad():
        backbone.pos_embed.zero_()
        backbone.pos_embed[0, 1:, 0] = ramp.repeat_interleave(24)
        backbone.pos_embed[0, 1:, 1] = ramp.repeat(24)
        grid = size // 8
        patches = torch.zeros(1, grid, grid, 16)
        placed = backbone._pos_embed(patches)[0, 1:].reshape(grid, grid, 16)
    centres = ((torch.arange(grid) + 0.5) * 24 / grid - 0.5) / 23
    torch.testing.assert_close(placed[1:-1, 2, 0], centres[1:-1], atol=0.01, rtol=0)
    torch.testing.assert_close(placed[2, 1:-1, 1], centres[1:-1], atol=0.01, rtol=0)


def test_biases_and_norms_have_no_decay() -> None:
    pair = _pair()
    decayed, plain = parameter_groups(pair.student)
    names = {id(p): name for name, p in pair.student.named_parameters()}
    assert all(names[id(p)].endswith((".bias", ".weight")) and p.ndim == 1 for p in plain["params"])
    assert all(p.ndim > 1 for p in decayed["params"])
    trained = sum(p.requires_grad for p in pair.student.parameters())
    assert len(decayed["params"]) + len(plain["params"]) == trained
