import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

from backend.card.model_card import Band
from backend.radiometry.units import Units
from backend.raster.resample import average_taps, bilinear_taps, combine, scale_factor, scaled_size
from backend.raster.source import RasterSource
from backend.stream.frames import ScaledFrame
from backend.stream.upsample import Enlarger

PLAIN = (Band("VV", "db", (-90, 50), 0.0, 1.0), Band("VH", "db", (-90, 50), 0.0, 1.0))


def test_a_pixel_size_within_one_per_cent_is_left_alone():
    assert scale_factor(10.09, 10) == 1
    assert scale_factor(9.91, 10) == 1
    assert scale_factor(5, 10) == 2
    assert scale_factor(30, 10) == pytest.approx(1 / 3)
    assert scale_factor(200, 10) == 1 / 4


@given(size=st.integers(1, 60), factor=st.floats(1.02, 12))
def test_averaging_keeps_the_sum(size, factor):
    data = np.random.default_rng(0).random((1, size, 1)).astype(np.float32)
    index, weight = average_taps(np.arange(scaled_size(size, factor)), size, factor)
    assert combine(data, index, weight, 1).sum() == pytest.approx(data.sum(), rel=1e-5)


@given(size=st.integers(2, 60), factor=st.floats(0.25, 0.98))
def test_bilinear_keeps_a_slope(size, factor):
    index, weight = bilinear_taps(np.arange(scaled_size(size, factor)), size, factor)
    found = combine(np.arange(size, dtype=np.float32).reshape(1, -1, 1), index, weight, 1).ravel()
    wanted = np.clip((np.arange(len(found)) + 0.5) * factor - 0.5, 0, size - 1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_coarsening_averages_power_not_db(make_raster, units):
    power = np.tile(np.array([[0.97, 0.01], [0.01, 0.01]]), (2, 4, 4))
    values = {
        Units.DB: 10 * np.log10(power),
        Units.LINEAR_POWER: power,
        Units.AMPLITUDE: np.sqrt(power),
    }[units].astype(np.float32)
    path = make_raster(values, transform=from_origin(5e5, 4e6, 5, 5))
    with RasterSource(path) as source:
        x, valid = ScaledFrame(source, PLAIN, units, (2.0, 2.0)).read(0, 4)
    np.testing.assert_allclose(x, 10 * np.log10(0.25), atol=1e-3)
    assert x.shape == (2, 4, 4)
    assert valid.all()


def test_invalid_pixels_take_no_part_in_an_average(make_raster):
    values = np.full((2, 4, 4), 0.1, dtype=np.float32)
    values[:, :2, :2] = 0  # linear zero has no dB
    values[0, 0, 2] = np.nan
    with RasterSource(make_raster(values)) as source:
        x, valid = ScaledFrame(source, PLAIN, Units.LINEAR_POWER, (2.0, 2.0)).read(0, 2)
    assert valid.tolist() == [[False, True], [True, True]]
    np.testing.assert_allclose(x[0], [[0, -10], [-10, -10]], atol=1e-5)


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 30),
    down=st.floats(0.3, 17),
    across=st.floats(0.3, 17),
    step=st.integers(1, 9),
)
def test_enlarging_row_by_row_equals_enlarging_at_once(height, width, down, across, step):
    cells = scaled_size(height, down), scaled_size(width, across)
    rows = np.random.default_rng(1).random((3, *cells)).astype(np.float32)
    rows[-1] = np.random.default_rng(2).random(cells) < 0.8

    def enlarge(step):
        enlarger = Enlarger(cells, (height, width), (down, across))
        pieces = [p for top in range(0, cells[0], step) for p in enlarger.push(rows[:, top : top + step])]
        assert [p.top for p in pieces] == [0, *(p.bottom for p in pieces[:-1])]
        assert pieces[-1].bottom == height
        return (np.concatenate([getattr(p, kind) for p in pieces], axis=1) for kind in ("nearest", "smooth"))

    for streamed, whole in zip(enlarge(step), enlarge(cells[0])):
        assert streamed.shape == (2, height, width)
        np.testing.assert_array_equal(streamed, whole)


def test_enlarged_values_lie_over_the_middle_of_their_cells():
    rows = np.stack((np.arange(12.0).reshape(3, 4), np.ones((3, 4)))).astype(np.float32)
    (piece,) = Enlarger((3, 4), (9, 12), (3, 3)).push(rows)
    np.testing.assert_allclose(piece.smooth[0, 1::3, 1::3], rows[0])
    np.testing.assert_array_equal(piece.nearest[0], rows[0].repeat(3, 0).repeat(3, 1))
