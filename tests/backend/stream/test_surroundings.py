"""Shares of the same class around each pixel: by brute force, in any pieces, and in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from backend.stream.surroundings import ROWS, Surroundings, share_of_class


def by_hand(classes, reach):
    result = np.zeros(classes.shape, np.float32)
    for row, column in np.argwhere(classes > 0):
        top, left = max(0, row - reach[0]), max(0, column - reach[1])
        square = classes[top : row + reach[0] + 1, left : column + reach[1] + 1]
        result[row, column] = np.float32((square == classes[row, column]).sum()) / np.float32((square > 0).sum())
    return result


@pytest.mark.parametrize("shape, reach", [((23, 17), (3, 2)), ((5, 40), (9, 1)), ((1, 1), (15, 15))])
def test_shares_are_those_counted_by_hand(shape, reach):
    rng = np.random.default_rng(2)
    classes = rng.choice(np.array([0, 10, 40, 255], np.uint8), size=shape)
    np.testing.assert_array_equal(share_of_class(classes, reach), by_hand(classes, reach))


@pytest.mark.parametrize("reach", [1, 15, 100])
@pytest.mark.parametrize("piece", [1, 16, 70, 500])
def test_rows_in_any_pieces_give_the_whole(reach, piece):
    rng = np.random.default_rng(3)
    classes = rng.integers(0, 4, size=(301, 33)).astype(np.uint8)
    rows, valid = [], []
    around = Surroundings((reach, 2), lambda values, there: (rows.append(values[0]), valid.append(there)))
    most = 0
    for top in range(0, len(classes), piece):
        around.push(classes[top : top + piece])
        most = max(most, sum(map(len, around._rows)))
    around.finish()
    np.testing.assert_array_equal(np.concatenate(rows), share_of_class(classes, (reach, 2)))
    np.testing.assert_array_equal(np.concatenate(valid), classes > 0)
    assert most <= ROWS + 2 * reach + piece


def test_nothing_is_written_of_no_rows():
    around = Surroundings((3, 3), lambda *_: pytest.fail("written"))
    around.finish()
