"""Units, validity and standardisation of backscatter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.card import Band
from backend.errors import InputError
from backend.radiometry import Units, check_units, decide_units, from_power, normalise, prepare, to_db, to_power

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


def land(rng, vv=-11.0, vh=-18.0, spread=3.0):
    """dB of a plausible scene, [2, 64, 64]."""
    return np.stack([rng.normal(vv, spread, (64, 64)), rng.normal(vh, spread, (64, 64))]).astype(np.float32)


def every(values):
    return np.ones(values.shape[-2:], dtype=bool)


# Land, sea at low wind, rough sea, forest, city, desert: VV and VH means in dB.
PLACES = [(-11, -18), (-22, -28), (-14, -25), (-8, -13), (-5, -12), (-17, -25)]


@pytest.mark.parametrize(("vv", "vh"), PLACES)
@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_units_are_told_from_values(vv, vh, units):
    db = land(np.random.default_rng(0), vv, vh)
    power = to_power(db, Units.DB)
    values = {Units.DB: db, Units.LINEAR_POWER: power, Units.AMPLITUDE: np.sqrt(power)}[units]
    if units is Units.AMPLITUDE and (vv + vh) / 2 < -15.5:
        # As power this would be plain land: nothing in the values tells them apart, so the user has to.
        assert decide_units(values, every(values)) in (Units.AMPLITUDE, Units.LINEAR_POWER)
    elif units is Units.LINEAR_POWER and (vv, vh) == (-5, -12):
        assert decide_units(values, every(values)) in (Units.AMPLITUDE, Units.LINEAR_POWER)
    else:
        assert decide_units(values, every(values)) is units


@pytest.mark.parametrize("scale", [100.0, 3000.0])
def test_digital_numbers_are_refused_with_a_hint(scale):
    values = np.random.default_rng(0).gamma(4.4, scale / 4.4, (1, 64, 64))
    with pytest.raises(InputError, match="digital numbers") as caught:
        decide_units(values, every(values))
    assert "calibrate" in caught.value.hint.lower()


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (Units.DB, np.full((1, 8, 8), 0.05)),
        (Units.DB, np.full((1, 8, 8), -900.0)),
        (Units.LINEAR_POWER, np.full((1, 8, 8), -12.0)),
        (Units.AMPLITUDE, np.full((1, 8, 8), -12.0)),
        (Units.LINEAR_POWER, np.full((1, 8, 8), 1e7)),
    ],
)
def test_a_contradicted_unit_is_refused(declared, values):
    with pytest.raises(InputError) as caught:
        check_units(declared, values, every(values))
    assert caught.value.hint


def test_a_fitting_unit_is_accepted():
    db = land(np.random.default_rng(1))
    check_units(Units.DB, db, every(db))
    check_units(Units.LINEAR_POWER, to_power(db, Units.DB), every(db))
    check_units(Units.AMPLITUDE, np.sqrt(to_power(db, Units.DB)), every(db))


def test_only_valid_values_decide():
    db = land(np.random.default_rng(2))
    db[:, :40] = -9999
    valid = every(db)
    valid[:40] = False
    assert decide_units(db, valid) is Units.DB


def test_no_valid_value_decides_nothing():
    values = np.full((2, 4, 4), np.nan)
    assert decide_units(values, every(values)) is Units.DB


@given(hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(-30, 5, width=32)))
def test_the_three_units_of_one_scene_give_one_input(db):
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
