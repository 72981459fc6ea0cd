"""Units, validity and standardisation of backscatter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.card.model_card import Band
from backend.core.errors import InputError
from backend.radiometry.convert import (
    from_linear,
    from_power,
    is_backscatter,
    normalise,
    prepare,
    rows_for_units,
    to_db,
    to_linear,
    to_power,
    to_scale,
)
from backend.radiometry.units import Units, check_coherence
from tests.support.backscatter import every

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


@given(hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(-30, 5, width=32)))
def test_the_three_units_of_one_scene_give_one_input(db):
    db[db == 0] = 1  # 0 dB in all bands means nodata
    valid = every(db)
    power = to_power(db, Units.DB)
    expected, _ = prepare(db, valid, BANDS, Units.DB)
    for values, units in ((power, Units.LINEAR_POWER), (np.sqrt(power), Units.AMPLITUDE)):
        x, good = prepare(values, valid, BANDS, units)
        assert good.all()
        np.testing.assert_allclose(x, expected, atol=1e-4)
    np.testing.assert_allclose(from_power(power), db, atol=1e-4)


def test_zero_and_negative_power_are_invalid_and_become_the_mean():
    values = np.array([[[0.1, 0.0, -0.2, np.nan]], [[0.02, 0.02, 0.02, 0.02]]], dtype=np.float32)
    x, valid = prepare(values, np.ones((1, 4), dtype=bool), BANDS, Units.LINEAR_POWER)
    assert valid.tolist() == [[True, False, False, False]]
    assert (x[:, 0, 1:] == 0).all() and (x[:, 0, 0] != 0).all()
    assert x.dtype == np.float32


def test_values_are_clipped_and_standardised_by_the_card():
    db = np.array([[[-100.0, -12.6, 100.0]], [[-100.0, -20.3, 100.0]]], dtype=np.float32)
    x = normalise(db, np.ones((1, 3), dtype=bool), BANDS)
    np.testing.assert_allclose(x[0, 0], [(-30 + 12.6) / 5.3, 0, (5 + 12.6) / 5.3], rtol=1e-5)
    np.testing.assert_allclose(x[1, 0], [(-35 + 20.3) / 5.9, 0, 20.3 / 5.9], rtol=1e-5)


def test_a_missing_band_is_the_mean_and_leaves_the_other_alone():
    db = np.array([[[-10.0]], [[np.nan]]], dtype=np.float32)
    x = normalise(db, np.ones((1, 1), dtype=bool), BANDS)
    assert x[1, 0, 0] == 0
    assert x[0, 0, 0] == pytest.approx(2.6 / 5.3, rel=1e-5)


def test_undecided_units_are_a_programming_error():
    with pytest.raises(ValueError):
        to_db(np.ones((1, 1, 1)), np.ones((1, 1), dtype=bool), Units.AUTO)


COHERENT = (*BANDS, Band("coh_VV", "coherence", (0.0, 1.0), 0.4, 0.2))


def test_coherence_is_not_converted_to_db():
    power = np.array([[[0.1, 0.1, 0.0]], [[0.01, 0.01, 0.01]], [[0.6, np.nan, 0.6]]], dtype=np.float32)
    scaled, valid = to_scale(power, np.ones((1, 3), dtype=bool), COHERENT, Units.LINEAR_POWER)
    assert valid.tolist() == [[True, False, False]]
    np.testing.assert_allclose(scaled[:, 0, 0], [-10, -20, 0.6], atol=1e-5)
    x, _ = prepare(power, np.ones((1, 3), dtype=bool), COHERENT, Units.LINEAR_POWER)
    assert x[2, 0, 0] == pytest.approx(1.0) and (x[:, 0, 1:] == 0).all()
    linear = to_linear(scaled[:, :, :1], COHERENT, Units.DB)
    np.testing.assert_allclose(linear[:, 0, 0], [0.1, 0.01, 0.6], rtol=1e-5)
    np.testing.assert_allclose(from_linear(linear, COHERENT), scaled[:, :, :1], atol=1e-5)
    assert is_backscatter(COHERENT).tolist() == [True, True, False]


def test_units_are_decided_by_bands_of_one_date():
    stack = tuple(Band(n, "db", (-30.0, 5.0), -12.0, 5.0) for n in ("VV_winter", "VV_summer", "VH_winter"))
    assert rows_for_units(stack) == [0, 2] and rows_for_units(COHERENT) == [0, 1]
    assert rows_for_units(COHERENT[2:]) == []


def test_coherence_that_is_no_fraction_is_refused():
    check_coherence(np.array([[[0.0, 0.5, 1.0]]]), np.ones((1, 3), dtype=bool))
    with pytest.raises(InputError, match="between 0 and 1"):
        check_coherence(np.array([[[0.0, 128, 255]]]), np.ones((1, 3), dtype=bool))
