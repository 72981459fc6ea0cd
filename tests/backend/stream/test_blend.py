"""Tiles added up row by row, against the plain sum with everything in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.card.model_card import LandCoverClass
from backend.stream.blend import RowBlender
from backend.stream.decision import choosing
from backend.stream.tiling import plan_tiles

CLASSES = [LandCoverClass(value, f"class {value}", "#000000", group) for value, group in ((1, "a"), (2, "b"), (3, "b"))]


def tiles_of(plan, seed, share):
    """Random tiles by place; those without a valid pixel are left out."""
    rng = np.random.default_rng(seed)
    size = 3, plan.tile, plan.tile
    return {place: rng.random(size, dtype=np.float32) for place in plan if rng.random() < share}


def blended(plan, tiles, reduce=None):
    blender, rows = RowBlender(plan, 3, reduce), []
    for row in range(len(plan.rows.origins)):
        for column in range(len(plan.columns.origins)):
            if (row, column) in tiles:
                blender.add(row, column, tiles[row, column].copy())
        rows.append(blender.finish(row).copy())
    return np.concatenate(rows, axis=1)


def summed(plan, tiles):
    total = np.zeros((3, plan.rows.padded, plan.columns.padded), dtype=np.float32)
    for (row, column), tile in tiles.items():
        top, left = plan.rows.origins[row], plan.columns.origins[column]
        weight = plan.rows.weights[row][:, None] * plan.columns.weights[column][None, :]
        total[:, top : top + plan.tile, left : left + plan.tile] += tile * weight
    return total[:, : plan.rows.size, : plan.columns.size]


@given(
    st.integers(1, 100), st.integers(1, 100), st.sampled_from([0, 8, 16, 24]), st.integers(0, 99),
    st.sampled_from([0.0, 0.2, 0.7, 1.0]),
)  # fmt: skip
def test_sums_are_those_of_the_whole_frame_whatever_is_left_out(height, width, overlap, seed, share):
    plan = plan_tiles(height, width, 32, overlap, 8)
    tiles = tiles_of(plan, seed, share)
    wanted = summed(plan, tiles)
    np.testing.assert_array_equal(blended(plan, tiles), wanted)
    for confidence in (False, True):
        choose = choosing(CLASSES, confidence)
        found = blended(plan, tiles, choose)
        there = wanted.sum(axis=0) > 0.5  # elsewhere nothing is there to be chosen from
        np.testing.assert_array_equal(found[:, there], choose(wanted)[:, there])
        assert found.dtype == (np.float32 if confidence else np.uint8)


@pytest.mark.parametrize("overlap", [0, 16, 32])
def test_weights_of_all_tiles_add_up_to_one(overlap):
    plan = plan_tiles(200, 333, 64, overlap, 8)
    ones = {place: np.ones((3, 64, 64), dtype=np.float32) for place in plan}
    assert (blended(plan, ones) == 1).all()
