"""Standardising tokens: its statistics, and that targets then tell images apart although tokens are nearly alike."""

import math

import pytest
import torch

from training.dino.network import DinoHead
from training.dino.objective import Objective
from training.dino.token_scale import MOMENTUM, TokenScale
from training.run.pretrain_config import DinoConfig


def test_tokens_stay_until_the_first_batch_which_counts_fully() -> None:
    scale, tokens = TokenScale(3), torch.randn(500, 3) * 4 + 7
    torch.testing.assert_close(scale(tokens), tokens, rtol=1e-5, atol=0)
    scale.follow(tokens)
    found = scale(tokens)
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.var(dim=0, unbiased=False), torch.ones(3), rtol=1e-4, atol=0)


def test_later_batches_move_it_by_the_momentum() -> None:
    scale = TokenScale(1)
    for _ in range(30):
        scale.follow(torch.zeros(4, 1))
    scale.follow(torch.full((4, 1), 2.0))
    assert float(scale.mean) == pytest.approx(2 * (1 - MOMENTUM))
    assert float(scale.variance) == pytest.approx((1 - MOMENTUM) * (2 * MOMENTUM) ** 2)


@pytest.mark.parametrize("standardised", [False, True])
def test_standardised_targets_tell_nearly_alike_tokens_apart(standardised: bool) -> None:
    torch.manual_seed(0)
    common, own = torch.randn(64), torch.randn(32, 64)
    tokens = common + 0.02 * own
    if standardised:
        scale = TokenScale(64)
        scale.follow(tokens)
        tokens = scale(tokens)
    config = DinoConfig(out_dim=256, hidden_dim=128, bottleneck_dim=32)
    objective = Objective(config)
    with torch.no_grad():
        logits = DinoHead(64, config)(tokens)
        for _ in range(100):  # the centre of DINO alone doesn't tell them apart
            objective.centring.update(logits)
        targets = objective.centring(logits, 0.04)
    entropy = torch.special.entr(targets).sum(dim=1).mean()
    information = float(torch.special.entr(targets.mean(dim=0)).sum() - entropy)
    assert information > 1 if standardised else information < 0.05
    assert (float(entropy) < 0.8 * math.log(256)) is standardised
