"""Crops with areas without data are filled as mapping fills them, and small crops are extended as mapping does."""

from __future__ import annotations

import numpy as np
import pytest

from backend.card.model_card import Band
from training.landcover.chips import SMALLEST, CropSampler, LabelledChip
from training.landcover.gaps import LEAST_VALID, draw_gap
from training.run.finetune_config import CropAugmentConfig

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.0, 5.0), Band("VH", "db", (-35.0, 0.0), -20.0, 6.0))
STILL = {"speckle": 0, "gain_common_db": 0, "gain_band_db": 0, "band_drop": 0, "flip": False}
SIZE = 48


def sampler(**augment):
    """Draw from one chip in which every pixel has a level of its own and its row for a class."""
    rng = np.random.default_rng(0)
    db = rng.uniform(-15, -10, (2, 60, 60)).astype(np.float16)
    target = np.broadcast_to(np.arange(60, dtype=np.int16)[:, None] // 20, (60, 60)).copy()
    return CropSampler([LabelledChip(db, target, 0.0)], BANDS, SIZE, CropAugmentConfig(**STILL, **augment), seed=0)


def test_gaps_differ_and_leave_enough():
    rng = np.random.default_rng(1)
    target = np.repeat(np.arange(4, dtype=np.int16), 300).reshape(40, 30)
    gaps = [draw_gap(target, rng) for _ in range(200)]
    shares = np.array([gap.mean() for gap in gaps])
    assert shares.max() <= 1 - LEAST_VALID
    assert (shares > 0.05).mean() > 0.7 and shares.std() > 0.15
    masked = [gap for gap in gaps if any(np.array_equal(gap, target == value) for value in range(4))]
    assert len(masked) > 20


def test_a_chip_without_labels_has_gaps_too():
    rng = np.random.default_rng(2)
    gaps = [draw_gap(np.full((20, 20), -1, dtype=np.int16), rng) for _ in range(50)]
    assert any(gap.any() for gap in gaps) and not all(gap.any() for gap in gaps)


def test_gaps_are_filled_with_valid_pixels_and_have_no_target():
    inputs, targets = sampler(gaps=1.0).batch(0, 40)
    whole, wanted = sampler().batch(0, 40)
    assert np.isfinite(inputs.numpy()).all()
    gap = (targets == -1).numpy()
    assert 0.1 < gap.mean() < 0.7
    for x, before, hole, target, label in zip(*(each.numpy() for each in (inputs, whole)), gap, targets, wanted):
        np.testing.assert_array_equal(x[:, ~hole], before[:, ~hole])
        np.testing.assert_array_equal(target[~hole], label[~hole])
        pixels = {tuple(pixel) for pixel in before[:, ~hole].T}
        assert {tuple(pixel) for pixel in x[:, hole].T} <= pixels


def test_small_crops_are_extended_by_reflection():
    inputs, targets = (each.numpy() for each in sampler(small=1.0).batch(0, 40))
    sides = []
    for x, target in zip(inputs, targets):
        width = next(w for w in range(SMALLEST, SIZE + 1) if w == SIZE or np.array_equal(x[:, :, w], x[:, :, w - 1]))
        beyond = np.pad(x[:, :, :width], ((0, 0), (0, 0), (0, SIZE - width)), mode="symmetric")
        np.testing.assert_array_equal(x, beyond)
        assert (target >= 0).all()
        sides.append(width)
    assert min(sides) < 24 and max(sides) > 40


@pytest.mark.parametrize("option", ["gaps", "small"])
def test_crops_are_a_function_of_seed_and_step(option):
    first, second = (sampler(**{option: 0.5}).batch(3, 8) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second))
