"""What has no data is filled before the network sees it."""

import numpy as np

from backend.core.cancel import Cancel
from backend.stream.fill import fill_invalid
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import plan_tiles


def test_an_invalid_pixel_becomes_the_nearest_valid_one():
    x = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    valid = np.zeros((3, 5), dtype=np.bool_)
    valid[:, 2] = valid[1, 3] = True
    filled = fill_invalid(x, valid)
    np.testing.assert_array_equal(filled[:, valid], x[:, valid])
    np.testing.assert_array_equal(filled[:, :, :2], np.repeat(x[:, :, 2:3], 2, axis=2))
    np.testing.assert_array_equal(filled[:, 1, 4], x[:, 1, 3])


def test_nothing_is_copied_where_nothing_can_be_filled():
    x = np.ones((2, 4, 4), dtype=np.float32)
    assert fill_invalid(x, np.ones((4, 4), dtype=np.bool_)) is x
    assert fill_invalid(x, np.zeros((4, 4), dtype=np.bool_)) is x


def test_a_band_that_is_missing_wholly_stays_missing():
    x = np.ones((2, 4, 4), dtype=np.float32)
    x[1], x[:, :, 0] = np.nan, np.nan
    filled = fill_invalid(x, np.isfinite(x).any(axis=0))
    assert (filled[0] == 1).all() and np.isnan(filled[1]).all()


class Frame:
    """Input of 2 throughout, without data (0) in places."""

    def __init__(self, valid):
        self.valid, (self.height, self.width) = valid, valid.shape

    def read(self, top, bottom):
        valid = self.valid[top:bottom]
        return np.where(valid, np.float32(2), np.float32(0))[None], valid


def test_no_tile_that_the_model_sees_has_a_cliff():
    valid = np.random.default_rng(1).random((70, 83)) < 0.3
    valid[20:60, :40] = False
    seen = []

    def model(tiles):
        seen.append(tiles)
        return tiles.copy()

    def emit(rows, there):
        assert there.shape == rows.shape[1:]

    count = run_stream(Frame(valid), TileJob(plan_tiles(70, 83, 32, 8, 8), 1, 4), model, emit, Cancel())
    assert count == valid.sum()
    assert (np.concatenate(seen) == 2).all()
