"""The values by which units are decided."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.raster.sampling import _starts, sample_values
from backend.raster.source import RasterSource

NAMES = ("VV", "VH")


def test_sample_is_of_the_whole_raster_else_of_the_extent(make_raster, scene_db):
    scene = scene_db(200, 200)
    extent = (500000, 4599900, 500100, 4600000)
    with RasterSource(make_raster(scene), names=NAMES, extent=extent) as source:
        assert sample_values(source)[1].sum() > 64 * 64
        np.testing.assert_array_equal(source.read(0, 10)[0], scene[:, :10, :10])
    # Valid only between the windows spread over the whole raster.
    tall = np.full((2, 2000, 200), np.nan, np.float32)
    tall[:, 70:75, 5] = -7
    extent = (500000, 4600000 - 900, 500100, 4600000 - 600)
    with RasterSource(make_raster(tall), names=NAMES, extent=extent) as source:
        sample, valid = sample_values(source)
        assert (sample[:, valid] == -7).all() and valid.any()


def test_sample_finds_the_only_valid_pixel(make_raster):
    values = np.full((2, 700, 700), np.nan, dtype=np.float32)
    empty = make_raster(values, "empty.tif")
    values[:, 333, 222] = -9
    with RasterSource(make_raster(values), names=NAMES) as source:
        sample, valid = sample_values(source)
        assert (sample[:, valid] == -9).all()
        assert valid.sum() == 1
    with RasterSource(empty, names=NAMES) as source, pytest.raises(InputError, match="no valid pixel"):
        sample_values(source)


@pytest.mark.parametrize(("begin", "size", "first"), [(0, 4000, 0), (-130, 6000, -130), (40, 2000, -90)])
def test_windows_of_large_rasters_stay_within_a_block(begin, size, first):
    starts = _starts(begin, size, 64, 8, 256, first)
    assert starts[0] == begin and starts[-1] == begin + size - 64 and len(starts) == 8
    inside = (starts[1:-1] - first) % 256
    assert (inside + 64 <= 256).all()
    assert np.abs(starts - np.linspace(begin, begin + size - 64, 8)).max() <= 64


def test_windows_of_small_rasters_are_spread_evenly():
    even = np.linspace(0, 936, 8).astype(int)
    np.testing.assert_array_equal(_starts(0, 1000, 64, 8, 256, 0), even)
    np.testing.assert_array_equal(_starts(0, 1000, 64, 8, 16, 0), even)
