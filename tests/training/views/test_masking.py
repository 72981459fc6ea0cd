import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from backend.card.arch import Arch
from backend.network.vit import build_backbone
from training.dino.network import StudentTeacher, parameter_groups
from training.dino.objective import Objective
from training.run.pretrain_config import DinoConfig
from training.views.masking import block_mask, step_masks

SMALL = DinoConfig(out_dim=12, hidden_dim=16, bottleneck_dim=8, drop_path=0.0, ibot_weight=1.0)
ARCH = Arch("vit_tiny_patch16_224", embed_dim=16, depth=2, heads=2)


def _pair(config: DinoConfig = SMALL, registers: int = 0) -> StudentTeacher:
    torch.manual_seed(0)
    arch = Arch(ARCH.timm, ARCH.embed_dim, ARCH.depth, ARCH.heads, registers=registers)
    return StudentTeacher(build_backbone(arch, 2, 32, 8), 16, config).train()


def _views() -> tuple[list[torch.Tensor], torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.rand(2, 3, 4, 4) < 0.4
    mask[1, 2] = False
    return [torch.randn(2, 3, 2, 32, 32), torch.randn(4, 3, 2, 16, 16)], mask


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 16), st.integers(1, 16), st.floats(0, 1), st.integers(0, 2**32))
def test_no_more_is_hidden_than_asked_for_and_nearly_as_much(rows: int, columns: int, share: float, seed: int) -> None:
    count = round(share * rows * columns)
    mask = block_mask(rows, columns, count, np.random.default_rng(seed))
    assert mask.shape == (rows, columns) and mask.sum() <= count
    assert not count or mask.any() or min(rows, columns) == 1  # blocks longer than the grid are drawn again


def test_half_of_a_grid_is_met_and_hidden_in_blocks() -> None:
    rng = np.random.default_rng(0)
    masks = [block_mask(14, 14, 98, rng) for _ in range(100)]
    assert np.mean([m.sum() for m in masks]) > 95
    assert np.mean([ndimage.label(m)[1] for m in masks]) < 6  # of scattered patches there would be over 20 groups


def test_masks_have_the_settings_probability_and_shares() -> None:
    masks = step_masks(0, 0, range(1000), (12, 12), SMALL)
    shares = masks.mean(axis=(2, 3)).ravel()
    assert np.mean(shares > 0) == pytest.approx(0.5, abs=0.04)
    hidden = shares[shares > 0]
    assert hidden.max() <= 0.5 and hidden.min() >= 0.08
    assert hidden.mean() == pytest.approx(0.3, abs=0.02)
    assert step_masks(0, 0, range(50), (12, 12), DinoConfig(ibot_weight=1.0, mask_probability=0.0)).sum() == 0


def test_masks_follow_from_seed_step_and_place_alone() -> None:
    whole = step_masks(5, 7, range(8), (6, 6), SMALL)
    parts = [step_masks(5, 7, range(a, a + 4), (6, 6), SMALL) for a in (0, 4)]
    assert np.array_equal(whole, np.concatenate(parts, axis=1))
    assert not np.array_equal(whole, step_masks(5, 8, range(8), (6, 6), SMALL))
    assert not np.array_equal(whole, step_masks(6, 7, range(8), (6, 6), SMALL))


@pytest.mark.parametrize("registers", [0, 4])
def test_the_student_is_masked_and_the_teacher_is_not(registers: int) -> None:
    pair, (groups, mask) = _pair(registers=registers), _views()
    masked, plain = pair.student(groups, mask), pair.student(groups)
    seen, whole = pair.teacher(groups, mask), pair.teacher(groups)
    assert masked.patches.shape == seen.patches.shape == (int(mask.sum()), 12) and plain.patches is None
    torch.testing.assert_close(seen.tokens, whole.tokens, rtol=0, atol=0)
    changed = (masked.tokens - plain.tokens).abs().amax(dim=-1) > 1e-4
    # Views: two global ones, of which the last image of the second has no mask, and four local ones.
    assert changed.tolist() == [[True] * 3, [True, True, False], *[[False] * 3] * 4]


def test_what_is_hidden_does_not_reach_the_student() -> None:
    pair, (groups, mask) = _pair(), _views()
    other = groups[0] + mask.repeat_interleave(8, 2).repeat_interleave(8, 3)[:, :, None]
    masked, changed = pair.student(groups, mask), pair.student([other, groups[1]], mask)
    torch.testing.assert_close(masked.logits, changed.logits, rtol=0, atol=0)
    torch.testing.assert_close(masked.patches, changed.patches, rtol=0, atol=0)
    assert not torch.equal(pair.teacher(groups, mask).patches, pair.teacher([other, groups[1]], mask).patches)


@pytest.mark.parametrize("registers", [0, 4])
def test_patches_are_those_at_the_mask_in_its_order(registers: int) -> None:
    pair, (groups, mask) = _pair(registers=registers), _views()
    backbone = pair.teacher.backbone
    tokens = backbone.forward_features(groups[0].flatten(0, 1))[:, 1 + registers :].reshape(2, 3, 4, 4, 16)
    torch.testing.assert_close(pair.teacher(groups, mask).patches, pair.teacher.head(tokens[mask]))


@pytest.mark.parametrize("shared", [True, False])
def test_the_gradient_reaches_every_parameter_and_the_mask_token(shared: bool) -> None:
    config = DinoConfig(out_dim=12, hidden_dim=16, bottleneck_dim=8, ibot_weight=1.0, ibot_shared_head=shared)
    pair, (groups, mask), objective = _pair(config), _views(), Objective(config)
    with torch.no_grad():
        teacher = pair.teacher(groups[:1], mask)
    losses = objective(pair.student(groups, mask), objective.targets(teacher, 0.04), mask)
    objective.total({"dino": losses["dino"] * 0, "ibot": losses["ibot"]}).backward()
    trained = {name: p for name, p in pair.student.named_parameters() if p.requires_grad}
    assert all(p.grad is not None for p in trained.values())
    assert float(pair.student.mask_token.grad.abs().max()) > 0
    head = "head" if shared else "patch_head"
    assert float(trained[f"{head}.last_layer.direction"].grad.abs().max()) > 0
    assert (pair.student.patch_head is None) is shared and len(pair.student.last_layers()) == (1 if shared else 2)


def test_the_mask_token_is_the_students_alone_and_has_no_decay() -> None:
    pair = _pair()
    assert pair.teacher.mask_token is None and not any("mask_token" in n for n, _ in pair.teacher.named_parameters())
    assert not any("mask_token" in name for name in pair.student.backbone.state_dict())
    _, plain = parameter_groups(pair.student)
    assert any(p is pair.student.mask_token for p in plain["params"])
    before = pair.teacher.head.last_layer.direction.clone()
    with torch.no_grad():
        pair.student.head.last_layer.direction.add_(1)
    pair.update_teacher(0.5)
    torch.testing.assert_close(pair.teacher.head.last_layer.direction, before + 0.5)
    assert _pair(DinoConfig(out_dim=12, hidden_dim=16, bottleneck_dim=8)).student.mask_token is None
