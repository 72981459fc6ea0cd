"""Overviews of class maps are made while the map is written, by the most frequent class."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import rasterio

from backend.output.class_overviews import majorities
from tests.support.sinks import write

VALUES = [0, 10, 20, 80, 255]


def counted(window):
    """Return the classes of a square that are most frequent, nodata aside; nodata if there is nothing else."""
    counts = Counter(window[window > 0].tolist())
    return {value for value, count in counts.items() if count == max(counts.values())} or {0}


def test_squares_of_every_size_hold_their_most_frequent_class():
    block = np.random.default_rng(0).choice(VALUES, (256, 256), p=[0.4, 0.2, 0.2, 0.1, 0.1]).astype(np.uint8)
    block[:64, :64] = 0
    block[64:, 64:] = 255  # 65,536 equal pixels don't fit into two bytes
    found = majorities(block, VALUES, 0, 8)
    assert [each.shape[0] for each in found] == [128, 64, 32, 16, 8, 4, 2, 1]
    for level, classes in enumerate(found, 1):
        side = 2**level
        for row, column in np.ndindex(classes.shape):
            square = block[row * side : row * side + side, column * side : column * side + side]
            assert classes[row, column] in counted(square)


def test_a_tie_goes_to_the_first_quarter():
    block = np.array([[20, 10], [10, 20]], np.uint8)
    assert majorities(block, VALUES, 0, 1)[0] == 20
    assert majorities(block[:, ::-1], VALUES, 0, 1)[0] == 10


@pytest.mark.parametrize(("height", "width"), [(700, 513), (257, 2600), (1030, 300)])
def test_overviews_in_the_file_are_those_of_the_map(tmp_path, height, width):
    values = np.random.default_rng(1).choice([0, 10, 80], (1, height, width)).astype(np.uint8)
    sink = write(tmp_path / "o.tif", values)
    sink.finish()
    sink.commit()
    with rasterio.open(tmp_path / "o.tif") as file:
        factors, whole = file.overviews(1), dict(file.colormap(1))
    assert len(factors) > 1
    for level, factor in enumerate(factors):
        with rasterio.open(tmp_path / "o.tif", overview_level=level) as file:
            small = file.read(1)
            assert file.nodata == 0 and file.block_shapes == [(256, 256)]
            assert dict(file.colormap(1)) == whole and file.compression.name == "deflate"
        assert small.shape == (-(-height // factor), -(-width // factor))
        for row, column in zip(*np.random.default_rng(2).integers(0, np.array(small.shape)[:, None], (2, 300))):
            square = values[0, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            assert small[row, column] in counted(square)


def test_on_a_full_disk_the_map_keeps_gdals_overviews(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.output.sink.RasterSink._room", lambda *_: False)
    values = np.random.default_rng(1).choice([10, 80], (1, 700, 600)).astype(np.uint8)
    sink = write(tmp_path / "o.tif", values)
    sink.finish()
    sink.commit()
    with rasterio.open(tmp_path / "o.tif") as file:
        assert file.overviews(1) == [2, 4]
        np.testing.assert_array_equal(file.read(), values)
