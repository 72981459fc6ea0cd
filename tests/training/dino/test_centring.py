import math

import pytest
import torch
from lightly.loss.swav_loss import sinkhorn as sinkhorn_of_lightly

from training.dino.centring import MovingCentre, SinkhornKnopp, build_centring, sinkhorn
from training.run.pretrain_config import DinoConfig


@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("temperature", [0.04, 0.5])
def test_sinkhorn_agrees_with_lightly(iterations: int, temperature: float) -> None:
    torch.manual_seed(0)
    logits = torch.nn.functional.normalize(torch.randn(11, 7), dim=-1)
    expected = sinkhorn_of_lightly(logits.clone(), iterations, temperature)
    torch.testing.assert_close(sinkhorn(logits, temperature, iterations), expected, rtol=1e-4, atol=1e-7)


def test_prototypes_are_shared_evenly_and_rows_are_distributions() -> None:
    torch.manual_seed(1)
    # Every row prefers the first prototype: a softmax gives it nearly everything.
    logits = torch.randn(64, 8) * 0.1 + torch.tensor([1.0, *[0.0] * 7])
    assert float((logits / 0.05).softmax(-1).mean(0)[0]) > 0.99
    targets = sinkhorn(logits, 0.05, iterations=50)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(64))
    torch.testing.assert_close(targets.mean(dim=0), torch.full((8,), 1 / 8), rtol=1e-3, atol=0)


def test_sinkhorn_of_large_logits_stays_finite() -> None:
    torch.manual_seed(2)
    targets = sinkhorn(torch.randn(16, 5) * 100, 0.04)
    assert torch.isfinite(targets).all()
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(16))


def test_without_rows_there_are_no_targets_and_the_centre_stays() -> None:
    empty = torch.zeros(0, 5)
    assert sinkhorn(empty, 0.04).shape == (0, 5)
    centre = MovingCentre(5, 0.9)
    centre.value.fill_(3.0)
    centre.update(empty)
    assert centre(empty, 0.04).shape == (0, 5) and centre.value.tolist() == [3.0] * 5


def test_centre_follows_the_mean_of_the_teacher() -> None:
    torch.manual_seed(3)
    centre, expected = MovingCentre(4, 0.7), torch.zeros(4, dtype=torch.float64)
    for rows in (10, 3, 7):
        teacher = torch.randn(rows, 4)
        centre.update(teacher)
        expected = 0.7 * expected + 0.3 * teacher.double().mean(0)
    torch.testing.assert_close(centre.value.double(), expected, rtol=1e-5, atol=1e-7)


def test_a_constant_preference_is_taken_out_by_both() -> None:
    torch.manual_seed(4)
    logits, offset = torch.randn(6, 4) * 0.1, torch.tensor([2.0, 0.0, -1.0, 0.5])
    torch.testing.assert_close(sinkhorn(logits + offset, 0.1), sinkhorn(logits, 0.1), rtol=1e-3, atol=1e-6)
    centre = MovingCentre(4, 0.0)
    centre.update(logits + offset)
    entropy = torch.special.entr(centre(logits + offset, 0.1).mean(0)).sum()
    assert float(entropy) > 0.8 * math.log(4)


def test_the_setting_names_the_way() -> None:
    assert isinstance(build_centring(DinoConfig(out_dim=8)), MovingCentre)
    assert isinstance(build_centring(DinoConfig(out_dim=8, centring="sinkhorn")), SinkhornKnopp)
