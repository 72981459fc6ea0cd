"""Probes of features, and the backscatter statistics that stand beside them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.card.model_card import Band
from training.monitor.backscatter import AROUND, patch_statistics
from training.monitor.classifiers import accuracies, across_folds, answers, linear_probe, nearest_neighbours

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.0, 5.0), Band("VH", "db", (-35.0, 0.0), -20.0, 6.0))


def test_a_linear_probe_finds_one_direction_among_many() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 600)
    features = rng.normal(0, 3, (600, 64)).astype(np.float32)
    features[:, 5] = 0.01 * (classes - 0.5) + rng.normal(0, 0.002, 600)  # standardised, so that its size doesn't count
    groups = np.arange(600) % 12
    assert across_folds(lambda _: linear_probe(), features, classes, groups, 4) > 0.95
    assert across_folds(nearest_neighbours, features, classes, groups, 4) < 0.7


def test_a_rare_class_counts_as_much() -> None:
    rng = np.random.default_rng(1)
    classes = (np.arange(400) < 20).astype(int)
    features = (classes[:, None] + rng.normal(0, 0.7, (400, 1))).astype(np.float32)
    found = answers(linear_probe(), features, classes, features)
    assert accuracies(classes, found)[1] > 0.7 and (found == 1).sum() > 40
    assert accuracies(np.array([1, 1, 1, 2]), np.array([1, 1, 1, 1])) == pytest.approx((0.75, 0.5))


def test_a_group_is_never_on_both_sides() -> None:
    """Give features that tell groups apart, and not classes, the score of a guess."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(12), 20)
    classes = rng.permutation(12)[groups] % 2
    features = np.eye(12, dtype=np.float32)[groups]
    assert answers(linear_probe(), features, classes, features).tolist() == classes.tolist()
    assert across_folds(lambda _: linear_probe(), features, classes, groups, 12) < 0.4


def test_statistics_tell_level_and_texture_near_and_around() -> None:
    rng = np.random.default_rng(3)
    db = np.full((2, 48, 64), -12, dtype=np.float32)
    db[:, :, 32:] = -17
    db[1] += rng.normal(0, 2, (48, 64))
    valid = np.ones((48, 64), dtype=bool)
    found = patch_statistics(db, valid, BANDS, 8)
    assert found.shape == (6, 8, 2 * 2 * 2) and found.dtype == np.float32
    assert found[3, 0, 0] == pytest.approx(0, abs=1e-3) and found[3, 7, 0] == pytest.approx(-1, abs=1e-3)
    assert found[3, 3, 4] < found[3, 0, 4]  # beside the edge the surroundings are darker, the patch is not
    assert found[3, 3, 0] == pytest.approx(0, abs=1e-3) and found[3, 0, 3] > found[3, 0, 2] + 1
    db[1] = np.nan
    single = patch_statistics(db, valid, BANDS, 8)
    assert np.isfinite(single).all() and (single[..., [1, 3, 5, 7]] == 0).all()
    assert patch_statistics(db, valid, BANDS, AROUND - 8).shape == (3, 4, 8)
