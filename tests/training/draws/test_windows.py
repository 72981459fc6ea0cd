"""Choose and cut windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.data.coverage import Coverage, cells_along, probe_shape
from training.draws.windows import cut_windows, propose


def cover(valid, shape=None):
    return Coverage.measure(valid, *(shape or valid.shape))


def cut(dates, side, min_valid=0.6, seed=0):
    """Cut windows of [(values, valid), …] in memory; return them and the windows that were read."""
    asked = []

    def read(place):
        asked.append(tuple(place))
        top, left, height, width = place
        part = np.s_[top : top + height, left : left + width]
        return [(values[(slice(None), *part)], valid[part]) for values, valid in dates]

    rng = np.random.default_rng(seed)
    return cut_windows(read, [cover(valid) for _, valid in dates], side, min_valid, rng), asked


def stripe(height=600, width=800, first=0, last=240):
    valid = np.zeros((height, width), dtype=bool)
    valid[:, first:last] = True
    return np.full((2, height, width), -10.0, dtype=np.float32), valid


def test_a_window_lies_where_data_are_at_the_first_read():
    for seed in range(20):
        (window,), asked = cut([stripe()], 64, seed=seed)
        assert np.isfinite(window).mean() >= 0.6 and len(asked) <= 2


def test_both_dates_count():
    for seed in range(20):
        windows, _ = cut([stripe(first=0, last=400), stripe(first=300, last=800)], 64, min_valid=0.9, seed=seed)
        both = np.logical_and(*(np.isfinite(window) for window in windows))
        assert both.mean() >= 0.9


def test_where_nothing_is_enough_the_best_is_taken():
    valid = np.zeros((200, 200), dtype=bool)
    valid[90:100, 90:100] = True
    (window,), asked = cut([(np.zeros((1, 200, 200), np.float32), valid)], 100, min_valid=0.9)
    assert len(asked) == 10 and np.isfinite(window).sum() == 100


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (40, 5), (31, 32), (3, 2)])
def test_small_images_are_continued_by_reflection(shape):
    values = np.random.default_rng(0).normal(-10, 1, (2, *shape)).astype(np.float16)
    (window,), asked = cut([(values, np.ones(shape, dtype=bool))], 32, 0.5)
    assert window.shape == (2, 32, 32) and window.dtype == np.float32 and len(asked) == 1
    assert set(np.unique(window)) <= set(np.unique(values.astype(np.float32)))
    top, left, height, width = asked[0]
    np.testing.assert_array_equal(window[:, :height, :width], values[:, top : top + height, left : left + width])


@given(
    valid=hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=90)),
    side=st.integers(1, 100),
)
def test_proposals_lie_inside_and_are_not_repeated(valid, side):
    corners = propose([cover(valid)], side, 0.5, np.random.default_rng(0))
    assert 1 <= len(set(corners)) == len(corners) <= 10
    for top, left in corners:
        assert 0 <= top <= max(valid.shape[0] - side, 0) and 0 <= left <= max(valid.shape[1] - side, 0)


@given(valid=hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=150)))
def test_coverage_survives_packing_and_sums_to_the_valid_share(valid):
    coverage = cover(valid)
    again = Coverage.unpack(coverage.pack(), *valid.shape)
    np.testing.assert_array_equal(coverage.cells, again.cells)
    assert coverage.cells.shape == tuple(cells_along(n) for n in valid.shape)
    assert (coverage.pack() == "") == valid.all() and (not coverage.cells.any()) == (not valid.any())


def test_shares_are_those_of_the_pixels_where_cells_are_uniform():
    height, width = 640, 960
    valid = np.kron(np.random.default_rng(0).random((height // 32, width // 32)) < 0.5, np.ones((32, 32))) > 0
    rng = np.random.default_rng(1)
    tops, lefts = rng.integers(0, height - 10, 50), rng.integers(0, width - 10, 50)
    wanted = [valid[t : t + 100, c : c + 100].mean() for t, c in zip(tops, lefts)]
    np.testing.assert_allclose(cover(valid).share(tops, lefts, 100), wanted, atol=1e-9)


def test_a_thinned_raster_is_measured_like_the_whole_one():
    valid = stripe(9001, 12345, 1000, 7000)[1]
    rows, columns = probe_shape(*valid.shape)
    down, across = ((np.arange(n) + 0.5) / n * size for n, size in zip((rows, columns), valid.shape))
    thin = valid[down.astype(int)][:, across.astype(int)]
    one, other = cover(valid).cells.astype(int), cover(thin, valid.shape).cells.astype(int)
    assert one.shape == other.shape and np.mean(one != other) < 0.02 and np.abs(one - other).max() < 80
