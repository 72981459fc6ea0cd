"""Test scores of a confusion matrix, whose rows are the reference, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    jaccard_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)

from backend.accuracy.scores import Confusion, class_indices, scores


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_scores_of_counts_equal_scikit_learn(classes, seed):
    counts = np.random.default_rng(seed).integers(0, 9, (classes, classes)) + np.eye(classes, dtype=int)
    truth, mapped = (axis.ravel() for axis in np.indices(counts.shape))
    given_weights = {"sample_weight": counts.ravel()}
    precision, recall, f1, support = precision_recall_fscore_support(truth, mapped, **given_weights)
    found = scores(counts)
    table = found["classes"]
    np.testing.assert_allclose([c["users_accuracy"] for c in table], precision)
    np.testing.assert_allclose([c["producers_accuracy"] for c in table], recall)
    np.testing.assert_allclose([c["f1"] for c in table], f1)
    iou = jaccard_score(truth, mapped, average=None, **given_weights)
    np.testing.assert_allclose([c["iou"] for c in table], iou)
    assert found["overall_accuracy"] == pytest.approx(accuracy_score(truth, mapped, **given_weights))
    assert (found["mean_iou"], found["mean_f1"]) == pytest.approx((iou.mean(), f1.mean()))
    assert [c["reference"] for c in table] == support.tolist() and found["total"] == counts.sum()


def test_classes_on_one_side_only():
    found = scores(np.array([[6, 2, 0], [0, 0, 0], [2, 0, 0]]))
    tree, only_map, only_reference = found["classes"]
    assert tree["users_accuracy"] == tree["producers_accuracy"] == 0.75 and tree["iou"] == pytest.approx(0.6)
    assert only_map["users_accuracy"] == 0 and only_map["producers_accuracy"] is None
    assert only_reference["users_accuracy"] is None and only_reference["producers_accuracy"] == 0
    # A class that is not in the reference is not in the means.
    assert found["mean_iou"] == pytest.approx((0.6 + 0) / 2)


@given(st.integers(2, 6), st.integers(1, 200), st.integers(0, 2**31))
def test_scores_equal_those_on_pixels(classes, pixels, seed):
    rng = np.random.default_rng(seed)
    truth, guess = rng.integers(0, classes, (2, pixels))
    confusion, rest = (Confusion([str(i) for i in range(classes)]) for _ in range(2))
    half = pixels // 2
    confusion.add(truth[:half], guess[:half])
    rest.add(truth[half:], guess[half:])
    confusion.include(rest)
    found = confusion.scores()
    there = np.unique(truth)
    assert confusion.balanced_accuracy() == pytest.approx(recall_score(truth, guess, labels=there, average="macro"))
    assert found["overall_accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert found["mean_iou"] == pytest.approx(jaccard_score(truth, guess, labels=there, average="macro"))
    assert found["mean_f1"] == pytest.approx(f1_score(truth, guess, labels=there, average="macro"))
    for key, score in (
        ("iou", jaccard_score),
        ("f1", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        expected = score(truth, guess, labels=there, average=None, zero_division=0)
        assert [found["classes"][str(i)][key] for i in there] == pytest.approx(list(expected)), key


def test_rows_are_the_reference_in_both_ways_of_counting():
    """Of four pixels of water three are mapped; all that is mapped as water is water."""
    confusion = Confusion(["water", "land"])
    confusion.add(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1]))
    assert confusion.counts.tolist() == [[3, 1], [0, 2]]
    water, same = confusion.scores()["classes"]["water"], scores(confusion.counts)["classes"][0]
    assert water["precision"] == same["users_accuracy"] == 1.0
    assert water["recall"] == same["producers_accuracy"] == 0.75
    assert (same["map"], same["reference"], water["pixels"]) == (3, 4, 4)
    table = confusion.table()
    assert table["counts"] == [[3, 1], [0, 2]] and (table["rows"], table["columns"]) == ("labels", "predictions")


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
