"""Rows of tiles are read once, and are those of the frame however tiles overlap and overhang."""

import numpy as np
import pytest

from backend.raster.blocks import READ_ROWS, row_parts
from backend.stream.rows import TileRows
from backend.stream.tiling import plan_tiles


class Frame:
    """Counts how often each row is read."""

    def __init__(self, height, width=20):
        self.height, self.width = height, width
        self.x = np.random.default_rng(0).normal(size=(2, height, width)).astype(np.float32)
        self.valid = self.x[0] > -1
        self.read_rows = np.zeros(height, dtype=int)

    def read(self, top, bottom):
        assert bottom - top <= READ_ROWS
        self.read_rows[top:bottom] += 1
        return self.x[:, top:bottom], self.valid[top:bottom]


@pytest.mark.parametrize("height", [5, 48, 64, 100, 129, 200])
@pytest.mark.parametrize("overlap", [0, 8, 24])
def test_rows_are_those_of_the_frame_and_read_once(height, overlap):
    frame, plan = Frame(height), plan_tiles(height, 20, 48, overlap, 8)
    rows = TileRows(frame, plan)
    for row in range(len(plan.rows.origins)):
        x, valid, order = rows.read(row)
        sources = plan.rows.sources(row)
        np.testing.assert_array_equal(x[:, order], frame.x[:, sources])
        np.testing.assert_array_equal(valid, frame.valid[sources])
    # The last row of tiles may be reflected so far that rows before it come again.
    overhang = plan.rows.origins[-1] + plan.tile - height
    assert frame.read_rows.max() <= (2 if overhang > 48 - overlap - overhang else 1)


def test_rows_may_be_left_out():
    frame, plan = Frame(300), plan_tiles(300, 20, 48, 8, 8)
    rows = TileRows(frame, plan)
    for row in (0, 3, 4, 7):
        x, valid, order = rows.read(row)
        np.testing.assert_array_equal(x[:, order], frame.x[:, plan.rows.sources(row)])


@pytest.mark.parametrize("first", [0, 5, READ_ROWS])
def test_parts_end_with_rows_of_blocks(first):
    parts = list(row_parts(3, 3 * READ_ROWS + 1, first))
    assert parts[0][0] == 3 and parts[-1][1] == 3 * READ_ROWS + 1
    assert all(end == begin for (_, end), (begin, _) in zip(parts, parts[1:]))
    assert all((first + end) % READ_ROWS == 0 for _, end in parts[:-1])
