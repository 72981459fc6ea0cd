import math

import pytest
import torch
from lightly.loss import KoLeoLoss

from training.dino.koleo import koleo_loss


def test_loss_and_gradient_agree_with_lightly() -> None:
    torch.manual_seed(0)
    mine = torch.randn(12, 6, requires_grad=True)
    theirs = mine.detach().clone().requires_grad_()
    loss, expected = koleo_loss(mine), KoLeoLoss()(theirs)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_directions_at_right_angles_have_the_known_value() -> None:
    # Unit vectors along the axes are √2 apart; lengths don't count.
    lengths = torch.tensor([1.0, 5.0, 0.2, 30.0])
    assert float(koleo_loss(torch.eye(4) * lengths[:, None])) == pytest.approx(-math.log(math.sqrt(2)), rel=1e-5)


def test_descending_it_spreads_features() -> None:
    torch.manual_seed(1)
    features = (torch.randn(16, 3) * 0.05 + torch.tensor([1.0, 0, 0])).requires_grad_()
    before = float(koleo_loss(features.detach()))
    for _ in range(200):
        (gradient,) = torch.autograd.grad(koleo_loss(features), features)
        features = torch.nn.functional.normalize(features - 0.1 * gradient, dim=-1).detach().requires_grad_()
    assert float(koleo_loss(features.detach())) < before - 1
    assert float(features.detach().mean(0).norm()) < 0.5  # all around the sphere; 1 is all in one place


def test_equal_features_stay_finite() -> None:
    features = torch.ones(3, 4, requires_grad=True)
    loss = koleo_loss(features)
    loss.backward()
    assert math.isfinite(float(loss.detach())) and torch.isfinite(features.grad).all()
