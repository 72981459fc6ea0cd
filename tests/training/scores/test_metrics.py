"""Scores from a confusion matrix agree with scikit-learn's on the pixels themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

from training.scores.metrics import Confusion, class_indices


@given(st.integers(2, 6), st.integers(1, 200), st.integers(0, 2**31))
def test_scores_equal_those_on_pixels(classes, pixels, seed):
    rng = np.random.default_rng(seed)
    truth, guess = rng.integers(0, classes, (2, pixels))
    confusion, rest = (Confusion([str(i) for i in range(classes)]) for _ in range(2))
    half = pixels // 2
    confusion.add(truth[:half], guess[:half])
    rest.add(truth[half:], guess[half:])
    confusion.include(rest)
    scores = confusion.scores()
    there = np.unique(truth)
    assert scores["overall_accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert scores["mean_iou"] == pytest.approx(jaccard_score(truth, guess, labels=there, average="macro"))
    assert scores["mean_f1"] == pytest.approx(f1_score(truth, guess, labels=there, average="macro"))
    for key, score in (
        ("iou", jaccard_score),
        ("f1", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        expected = score(truth, guess, labels=there, average=None, zero_division=0)
        assert [scores["classes"][str(i)][key] for i in there] == pytest.approx(list(expected)), key


def test_users_and_producers_accuracy_are_not_mixed_up():
    confusion = Confusion(["water", "land"])
    confusion.add(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1]))
    water = confusion.scores()["classes"]["water"]
    assert water["precision"] == 1.0  # all that is mapped as water is water: the user's
    assert water["recall"] == 0.75  # of the water, three quarters are mapped: the producer's
    table = confusion.table()
    assert table["counts"] == [[3, 1], [0, 2]] and table["names"] == ["water", "land"] and table["rows"] == "labels"


def test_unlabelled_and_unmapped_pixels_do_not_count():
    confusion = Confusion(["a", "b"])
    confusion.add(np.array([0, -1, 1, 1]), np.array([0, 0, -1, 1]))
    assert confusion.counts.tolist() == [[1, 0], [0, 1]]
    assert Confusion(["a"]).scores() == {"pixels": 0}


def test_merging_adds_counts():
    confusion = Confusion(["tree", "crop", "grass"])
    confusion.add(np.array([0, 1, 2, 2]), np.array([0, 2, 1, 0]))
    merged = confusion.merged(["tree", "open", "open"])
    assert merged.names == ["tree", "open"]
    assert merged.counts.tolist() == [[1, 0], [1, 2]]


def test_values_outside_the_legend_are_left_out():
    assert class_indices(np.array([10, 0, 80, 77], dtype=np.uint8), [10, 80]).tolist() == [0, -1, 1, -1]
