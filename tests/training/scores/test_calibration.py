"""Compare the calibration error with torchmetrics where that is exact, and check it where that is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.card.model_card import LandCoverClass
from backend.stream.decision import choosing
from training.scores.calibration import BINS, Calibration
from training.scores.evaluation import Counts


def add(calibration, truth, shares):
    """Count pixels of a legend without groups: the likeliest class is mapped."""
    calibration.add(truth, shares.argmax(axis=0), shares.max(axis=0))


def softmax(rng, classes, pixels, sharpness):
    logits = rng.normal(size=(classes, pixels)) * sharpness
    shares = np.exp(logits - logits.max(axis=0))
    return (shares / shares.sum(axis=0)).astype(np.float32)


@settings(max_examples=50)
@given(st.integers(2, 11), st.integers(1, 400), st.floats(0.1, 4), st.integers(0, 2**31))
def test_errors_equal_those_of_torchmetrics(classes, pixels, sharpness, seed):
    reference = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(seed)
    shares, truth = softmax(rng, classes, pixels, sharpness), rng.integers(0, classes, pixels)
    # A confidence of exactly 1 has a bin of its own there; the last of Guo et al.'s 15 holds it.
    shares = shares[:, shares.max(axis=0) < 1]
    truth = truth[: shares.shape[1]]
    whole, rest = Calibration(), Calibration()
    half = len(truth) // 2
    add(whole, truth[:half], shares[:, :half])
    add(rest, truth[half:], shares[:, half:])
    whole.include(rest)
    if not len(truth):
        assert whole.scores() == {"pixels": 0}
        return
    for name, norm in (("expected_error", "l1"), ("maximum_error", "max")):
        given_ = torch.from_numpy(np.ascontiguousarray(shares.T)), torch.from_numpy(truth)
        expected = reference.multiclass_calibration_error(*given_, classes, n_bins=BINS, norm=norm)
        assert whole.scores()[name] == pytest.approx(float(expected), abs=2e-6)


def test_probabilities_that_hold_have_no_error_and_boasting_has():
    rng = np.random.default_rng(0)
    honest, boasting = Calibration(), Calibration()
    confidence = rng.uniform(0.5, 1, 200_000).astype(np.float32)
    truth = (rng.random(confidence.size) > confidence).astype(int)
    add(honest, truth, np.stack([confidence, 1 - confidence]))
    add(boasting, truth, np.stack([np.ones_like(confidence), np.zeros_like(confidence)]))
    assert honest.scores()["expected_error"] < 0.01
    assert boasting.scores()["expected_error"] == pytest.approx(0.25, abs=0.01)
    last = boasting.scores()["bins"]
    assert len(last) == 1 and last[0]["from"] == pytest.approx(14 / 15) and last[0]["accuracy"] < 0.76


def test_a_set_larger_than_float32_can_count_is_counted():
    """Check sums that torchmetrics 1.9 stops counting, at 2^24 pixels per bin."""
    calibration = Calibration()
    truth = (np.arange(1000) % 5 == 0).astype(int)
    add(calibration, truth, np.stack([np.full(1000, 0.9), np.full(1000, 0.1)]))
    for _ in range(16):  # 65 million pixels
        calibration.include(calibration)
    assert calibration.scores()["pixels"] == 65_536_000
    assert calibration.scores()["expected_error"] == pytest.approx(0.1)


def test_unlabelled_pixels_do_not_count_and_unknown_classes_miss():
    calibration = Calibration()
    shares = np.array([[0.8, 0.8, np.nan, 0.8], [0.2, 0.2, np.nan, 0.2]], dtype=np.float32)
    add(calibration, np.array([0, -1, 0, 7]), shares)
    scores = calibration.scores()
    assert scores["pixels"] == 2 and scores["bins"][0]["accuracy"] == 0.5
    assert Calibration().scores() == {"pixels": 0}


def test_a_blended_share_above_one_is_in_the_last_bin():
    calibration = Calibration()
    add(calibration, np.array([0]), np.array([[1.0000001], [0.0]], dtype=np.float32))
    assert calibration.scores()["pixels"] == 1


def test_a_grouped_legend_is_calibrated_by_the_rule_of_the_map():
    """Tree has the highest probability, but the map and its confidence are of a class of the group open."""
    groups = ["tree", "open", "open", "open"]
    classes = [LandCoverClass(10 * i + 10, str(i), "#000000", group) for i, group in enumerate(groups)]
    shares = np.tile(np.array([0.35, 0.2, 0.25, 0.2], np.float32)[:, None, None], (1, 2, 2))
    best, confidence = choosing(classes, confidence=True)(shares)
    truth = np.array([[2, 2], [2, 0]], np.int16)
    counts = Counts.none([item.name for item in classes], groups)
    counts.add(truth, best.astype(np.int16), shares)
    (filled,) = counts.by_class()["calibration"]["bins"]
    assert filled["confidence"] == pytest.approx(float(confidence.mean())) == 0.25
    assert filled["accuracy"] == counts.by_class()["overall_accuracy"] == 0.75
