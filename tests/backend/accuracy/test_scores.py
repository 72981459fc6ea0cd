"""Scores of a confusion matrix against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, jaccard_score, precision_recall_fscore_support

from backend.accuracy.scores import scores


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_as_scikit_learn_has_them(classes, seed):
    counts = np.random.default_rng(seed).integers(0, 9, (classes, classes)) + np.eye(classes, dtype=int)
    mapped, truth = (axis.ravel() for axis in np.indices(counts.shape))
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
    found = scores(np.array([[6, 0, 2], [2, 0, 0], [0, 0, 0]]))
    tree, only_map, only_reference = found["classes"]
    assert tree["users_accuracy"] == tree["producers_accuracy"] == 0.75 and tree["iou"] == pytest.approx(0.6)
    assert only_map["users_accuracy"] == 0 and only_map["producers_accuracy"] is None
    assert only_reference["users_accuracy"] is None and only_reference["producers_accuracy"] == 0
    # The class that the reference never has isn't in the means.
    assert found["mean_iou"] == pytest.approx((0.6 + 0) / 2)
