import math

import pytest
import torch
from lightly.loss import DINOLoss, IBOTPatchLoss, KoLeoLoss

from training.dino.centring import MovingCentre
from training.dino.losses import dino_loss, ibot_loss, koleo_loss


def _naive_loss(student: torch.Tensor, teacher: torch.Tensor, centre: torch.Tensor, ts: float, tt: float) -> float:
    """Compute algorithm 1 of Caron et al. 2021 value by value in double precision."""
    total, pairs = 0.0, 0
    for g, t_view in enumerate(teacher.double()):
        for v, s_view in enumerate(student.double()):
            if g == v:
                continue
            pairs += 1
            for t, s in zip(t_view, s_view):
                t_exp = [math.exp((float(a) - float(c)) / tt) for a, c in zip(t, centre)]
                s_exp = [math.exp(float(a) / ts) for a in s]
                for a, b in zip(t_exp, s_exp):
                    total -= a / sum(t_exp) * math.log(b / sum(s_exp)) / len(t_view)
    return total / pairs


@pytest.mark.parametrize("views", [2, 5])
def test_dino_loss_is_that_of_the_paper(views: int) -> None:
    torch.manual_seed(1)
    student, teacher = torch.randn(views, 3, 6), torch.randn(2, 3, 6)
    centring = MovingCentre(6, 0.9)
    centring.value.copy_(torch.randn(6))
    got = dino_loss(student, centring(teacher, 0.05), 0.1)
    assert float(got) == pytest.approx(_naive_loss(student, teacher, centring.value, 0.1, 0.05), rel=1e-5)


def test_dino_loss_agrees_with_lightly() -> None:
    torch.manual_seed(2)
    theirs = DINOLoss(output_dim=7, warmup_teacher_temp=0.05, teacher_temp=0.05, center_momentum=0.8)
    mine = MovingCentre(7, 0.8)
    for _ in range(3):
        student, teacher = torch.randn(4, 5, 7), torch.randn(2, 5, 7)
        expected = theirs(list(teacher), list(student), epoch=0)
        assert float(dino_loss(student, mine(teacher, 0.05), 0.1)) == pytest.approx(float(expected), rel=1e-5)
        mine.update(teacher.flatten(0, 1))


def test_ibot_loss_and_gradient_agree_with_lightly() -> None:
    torch.manual_seed(0)
    theirs = IBOTPatchLoss(output_dim=7, teacher_temp=0.05, center_momentum=0.8)
    centre = MovingCentre(7, 0.8)
    for _ in range(3):
        mask = torch.rand(2, 3, 4, 5) < 0.3
        mask[0, 1] = False
        student = torch.randn(int(mask.sum()), 7, requires_grad=True)
        other, teacher = student.detach().clone().requires_grad_(), torch.randn(int(mask.sum()), 7)
        loss = ibot_loss(student, centre(teacher, 0.05), mask, 0.1)
        expected = theirs(teacher, other, mask.flatten(0, 1))
        assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
        loss.backward()
        expected.backward()
        torch.testing.assert_close(student.grad, other.grad, rtol=1e-4, atol=1e-7)
        centre.update(teacher)
    torch.testing.assert_close(centre.value, theirs.center.value[0])


def test_ibot_loss_without_a_mask_is_zero_and_has_a_gradient() -> None:
    student = torch.zeros(0, 7, requires_grad=True)
    loss = ibot_loss(student, torch.zeros(0, 7), torch.zeros(2, 3, 4, 4, dtype=torch.bool), 0.1)
    loss.backward()
    assert float(loss.detach()) == 0 and student.grad.shape == (0, 7)


def test_koleo_loss_and_gradient_agree_with_lightly() -> None:
    torch.manual_seed(0)
    mine = torch.randn(12, 6, requires_grad=True)
    theirs = mine.detach().clone().requires_grad_()
    loss, expected = koleo_loss(mine), KoLeoLoss()(theirs)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_koleo_loss_of_right_angles_has_the_known_value() -> None:
    # Unit vectors along the axes are √2 apart; lengths don't count.
    lengths = torch.tensor([1.0, 5.0, 0.2, 30.0])
    assert float(koleo_loss(torch.eye(4) * lengths[:, None])) == pytest.approx(-math.log(math.sqrt(2)), rel=1e-5)


def test_koleo_loss_spreads_features() -> None:
    torch.manual_seed(1)
    features = (torch.randn(16, 3) * 0.05 + torch.tensor([1.0, 0, 0])).requires_grad_()
    before = float(koleo_loss(features.detach()))
    for _ in range(200):
        (gradient,) = torch.autograd.grad(koleo_loss(features), features)
        features = torch.nn.functional.normalize(features - 0.1 * gradient, dim=-1).detach().requires_grad_()
    assert float(koleo_loss(features.detach())) < before - 1
    assert float(features.detach().mean(0).norm()) < 0.5  # all around the sphere; 1 is all in one place


def test_koleo_loss_of_equal_features_is_finite() -> None:
    features = torch.ones(3, 4, requires_grad=True)
    loss = koleo_loss(features)
    loss.backward()
    assert math.isfinite(float(loss.detach())) and torch.isfinite(features.grad).all()
