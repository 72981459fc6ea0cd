"""A temperature makes confidence the share of pixels that are right, and changes no class."""

from __future__ import annotations

import numpy as np
import pytest

from backend.core.errors import InputError
from training.landcover.temperature import Answers, fit_temperature


def answers(temperature, count=20000, seed=0):
    """Draw classes by logits that are `temperature` times too large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 3)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = (rng.random((count, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return Answers(logits * np.float32(temperature), np.minimum(targets, 2))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_of_the_data_is_found(temperature):
    fit = fit_temperature([answers(temperature)])
    assert fit.temperature == pytest.approx(temperature, rel=0.05)
    assert fit.error_after < 0.015 and fit.error_after <= fit.error_before + 1e-3


def test_parts_count_the_same_whatever_their_size():
    large, small = answers(0.5), answers(2.0, count=1000, seed=1)
    fit = fit_temperature([large, small])
    turned = fit_temperature([answers(0.5, count=1000), answers(2.0, seed=1)])
    assert 0.7 < fit.temperature < 1.7 and turned.temperature == pytest.approx(fit.temperature, rel=0.1)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="two classes"):
        fit_temperature([Answers(np.zeros((5, 2), dtype=np.float32), np.zeros(5, dtype=np.int64))])
