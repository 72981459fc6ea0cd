"""Boundary F1 counts borders that lie where the labels have them, within two pixels."""

from __future__ import annotations

import numpy as np
import pytest

from training.scores.boundary import TOLERANCE, BoundaryScore, borders


def halves(column, width=40):
    """Return two classes [30, width] that meet at a column."""
    return np.broadcast_to((np.arange(width) >= column).astype(np.int16), (30, width))


def score(classes, target):
    result = BoundaryScore()
    result.add(np.asarray(classes), np.asarray(target))
    return result.f1()


def test_borders_are_both_sides_of_a_change():
    border = borders(halves(20), np.ones((30, 40), dtype=np.bool_))
    assert border[:, 19:21].all() and border.sum() == 60


@pytest.mark.parametrize(("moved", "wanted"), [(0, 1), (TOLERANCE, 1), (TOLERANCE + 1, 0.5), (TOLERANCE + 2, 0)])
def test_a_moved_border_counts_within_the_tolerance(moved, wanted):
    assert score(halves(20 + moved), halves(20)) == pytest.approx(wanted)


def test_borders_that_the_labels_lack_cost_precision():
    noisy = halves(20).copy()
    noisy[5, 5] = 1
    assert 0.9 < score(noisy, halves(20)) < 1


def test_no_border_is_drawn_where_labels_end():
    target = halves(20).copy()
    target[:, 30:] = -1
    assert score(halves(20), target) == 1
    assert score(halves(20), np.full((30, 40), -1, dtype=np.int16)) is None


def test_a_map_of_one_class_finds_none():
    assert score(np.zeros((30, 40), dtype=np.int16), halves(20)) == 0
