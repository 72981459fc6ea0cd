import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.maps.landcover import landcover_overlap
from backend.stream.tiling import attention_overlap, plan_tiles, reflect


@st.composite
def plans(draw):
    patch = draw(st.integers(1, 8))
    tile = patch * draw(st.integers(1, 8))
    overlap = patch * draw(st.integers(0, tile // patch - 1))
    return plan_tiles(draw(st.integers(1, 200)), draw(st.integers(1, 200)), tile, overlap, patch)


@given(plans())
def test_weights_sum_to_exactly_one_at_every_pixel(plan):
    total = np.zeros((plan.rows.padded, plan.columns.padded), dtype=np.float32)
    for row, column in plan:
        top, left = plan.rows.origins[row], plan.columns.origins[column]
        weight = plan.rows.weights[row][:, None] * plan.columns.weights[column][None, :]
        total[top : top + plan.tile, left : left + plan.tile] += weight
    assert (total == 1).all()


@given(plans())
def test_origins_keep_the_patch_phase_and_cover_all(plan):
    for axis in (plan.rows, plan.columns):
        assert axis.origins[0] == 0
        assert all(origin % plan.patch == 0 for origin in axis.origins)
        assert axis.padded >= axis.size
        assert all(origin < axis.size for origin in axis.origins)
        assert axis.finished(len(axis.origins) - 1) == axis.size


@given(plans())
def test_rows_are_finished_when_no_later_tile_reaches_them(plan):
    axis = plan.rows
    for index in range(len(axis.origins)):
        assert all(origin >= axis.finished(index) for origin in axis.origins[index + 1 :])


@given(plans())
def test_plan_on_patches_has_the_same_tiles(plan):
    cells = plan.on_patches()
    for axis, coarse in ((plan.rows, cells.rows), (plan.columns, cells.columns)):
        assert tuple(origin * plan.patch for origin in coarse.origins) == axis.origins


def test_ramps_are_level_at_their_ends_and_cross_in_the_middle():
    left, right = plan_tiles(96, 8, 64, 32, 8).rows.weights
    ramp = right[:32]
    np.testing.assert_allclose(ramp + left[32:], 1, atol=0)
    assert (np.diff(ramp) >= 0).all() and abs(float(ramp[15] + ramp[16]) - 1) < 1e-3
    assert ramp[1] - ramp[0] < 0.2 * (ramp[16] - ramp[15])


def test_reflection_past_the_end_and_replication_where_too_small():
    assert reflect(np.arange(7), 4).tolist() == [0, 1, 2, 3, 2, 1, 0]
    assert reflect(np.arange(6), 2).tolist() == [0, 1, 1, 1, 1, 1]
    assert reflect(np.arange(3), 1).tolist() == [0, 0, 0]


@pytest.mark.parametrize("tile, patch", [(192, 8), (128, 8), (224, 16), (256, 8)])
def test_default_overlap_costs_at_most_a_third_more(tile, patch):
    plan = plan_tiles(20000, 20000, tile, landcover_overlap(tile, patch), patch)
    assert 1 < plan.work_ratio() <= 1.35 * 1.02  # the last tiles of a finite raster overhang a little


def test_default_overlap_of_attention_is_half_a_tile():
    assert attention_overlap(192, 8) == 96
    assert attention_overlap(8, 8) == 0


@pytest.mark.parametrize("numbers", [(0, 5, 8, 0, 8), (5, 5, 8, 8, 8), (5, 5, 12, 0, 8), (5, 5, 16, 4, 8)])
def test_numbers_that_do_not_fit_are_refused(numbers):
    with pytest.raises(ValueError):
        plan_tiles(*numbers)
