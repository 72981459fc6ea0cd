"""Test that spatial folds never share a sample or block."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.own_classes.folds import group_blocks, plan_folds
from backend.own_classes.pixels import SamplePixels


@st.composite
def drawn(draw):
    count = draw(st.integers(2, 40))
    numbers = st.lists(st.integers(0, 700), min_size=count, max_size=count)
    rows, columns = (np.array(draw(numbers), dtype=np.int64) for _ in range(2))
    sample = np.array(draw(st.lists(st.integers(0, 12), min_size=count, max_size=count)), dtype=np.int64)
    # Samples of one class each.
    return SamplePixels(rows, columns, sample), sample % draw(st.integers(1, 4))


@settings(max_examples=30)
@given(drawn())
def test_no_sample_and_no_block_is_in_both_sets(case):
    places, classes = case
    folds = plan_folds(places, classes)
    if folds is None:
        return
    assert folds.count >= 2 and set(folds.fold) >= set(range(folds.count))
    cells = list(zip(places.rows // folds.side, places.columns // folds.side))
    for number in range(folds.count):
        held = folds.fold == number
        for names in (cells, list(places.sample)):
            inside = {name for name, out in zip(names, held) if out}
            outside = {name for name, out in zip(names, held) if not out}
            assert not inside & outside


@given(drawn(), st.sampled_from([16, 64]))
def test_groups_join_blocks_that_share_a_sample(case, side):
    places, _ = case
    groups = group_blocks(places, side)
    for names in (zip(places.rows // side, places.columns // side), places.sample):
        found = {}
        for name, group in zip(names, groups):
            assert found.setdefault(name, group) == group


def test_a_class_in_one_block_is_always_in_training():
    rows = np.array([0, 200, 400, 600, 0, 200, 400, 600, 300])
    places = SamplePixels(rows, rows * 0, np.arange(9))
    folds = plan_folds(places, np.array([0, 0, 0, 0, 1, 1, 1, 1, 2]))
    assert folds.fold[8] == -1 and (folds.fold >= 0).sum() >= 4
    assert plan_folds(places.take(np.array([0, 8])), np.array([0, 1])) is None
