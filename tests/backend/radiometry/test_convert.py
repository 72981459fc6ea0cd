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
    rows_that_tell_units,
    to_db,
    to_linear,
    to_power,
    to_scale,
)
from backend.radiometry.units import Units, check_coherence, check_units, decide_units, nodata_doubt, units_doubt

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


def land(rng, vv=-11.0, vh=-18.0, spread=3.0):
    """dB of a plausible scene, [2, 64, 64]."""
    return np.stack([rng.normal(vv, spread, (64, 64)), rng.normal(vh, spread, (64, 64))]).astype(np.float32)


def every(values):
    return np.ones(values.shape[-2:], dtype=bool)


# Land, global mean (SSL4EO-S12), sea at low wind, rough sea, forest, city, desert: VV and VH means in dB.
PLACES = [(-11, -18), (-12.6, -20.3), (-22, -28), (-14, -25), (-8, -13), (-5, -12), (-3, -10), (-17, -25)]


def in_units(db, units):
    power = to_power(db, Units.DB)
    return {Units.DB: db, Units.LINEAR_POWER: power, Units.AMPLITUDE: np.sqrt(power)}[units]


@pytest.mark.parametrize(("vv", "vh"), PLACES)
@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_units_are_told_from_values(vv, vh, units):
    values = in_units(land(np.random.default_rng(0), vv, vh), units)
    if units is Units.AMPLITUDE and (vv, vh) == (-14, -25):
        # Rough sea parts the polarisations by 11 dB, so its amplitude looks like the power of a land of -7 and -12.5:
        # nothing in the values tells, and the user is asked to look.
        assert "units option" in units_doubt(values, every(values))
    else:
        assert decide_units(values, every(values)) is units
    if vv == -12.6:
        assert units_doubt(values, every(values)) is None


def test_the_order_of_the_polarisations_does_not_matter():
    for units in (Units.LINEAR_POWER, Units.AMPLITUDE):
        values = in_units(land(np.random.default_rng(0)), units)[::-1]
        assert decide_units(values, every(values)) is units


@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_one_band_of_ordinary_land_is_told_by_its_level(units):
    values = in_units(land(np.random.default_rng(0), vv=-14)[:1], units)
    assert decide_units(values, every(values)) is units
    bright = in_units(land(np.random.default_rng(0), vv=-9)[:1], Units.LINEAR_POWER)
    assert "amplitude" in units_doubt(bright, every(bright))


def test_power_after_noise_subtraction_is_power_though_some_is_negative():
    rng = np.random.default_rng(0)
    values = np.stack((rng.normal(0.008, 0.0065, (64, 64)), rng.normal(0.0015, 0.0012, (64, 64))))
    assert (values < 0).mean() > 0.1 and np.abs(values).max() < 0.05
    assert decide_units(values, every(values)) is Units.LINEAR_POWER
    check_units(Units.LINEAR_POWER, values, every(values))


@pytest.mark.parametrize("units", [Units.AUTO, Units.DB])
@pytest.mark.parametrize("nodata", [-9999.0, -32768.0, 1e20, float(np.finfo(np.float32).min)])
def test_undeclared_nodata_is_named(units, nodata):
    db = land(np.random.default_rng(2))
    db[:, :5] = nodata
    with pytest.raises(InputError) as caught:
        check_units(units, db, every(db)) if units is Units.DB else decide_units(db, every(db))
    assert (
        f"exactly {np.float32(nodata):.9g} look like nodata" in caught.value.hint and "-a_nodata" in caught.value.hint
    )


def test_a_little_undeclared_nodata_is_told():
    db = land(np.random.default_rng(2))
    assert nodata_doubt(Units.DB, db, every(db)) is None
    db[:, 0, :5] = -9999
    assert decide_units(db, every(db)) is Units.DB
    assert "exactly -9999" in nodata_doubt(Units.DB, db, every(db))


@pytest.mark.parametrize("rows", [5, 60, 63])
def test_borders_of_0_db_in_all_bands_are_no_data_and_told(rows):
    db = land(np.random.default_rng(2))
    db[:, :rows] = 0
    db[0, 63, 0] = 0
    assert decide_units(db, every(db)) is Units.DB
    assert "exactly 0 dB" in nodata_doubt(Units.DB, db, every(db))
    _, valid = to_db(db, every(db), Units.DB)
    assert not valid[:rows].any() and valid[rows:].all()
    # A single polarisation may well be 0 somewhere.
    assert to_db(db[:1], every(db), Units.DB)[1].all()


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
        (Units.LINEAR_POWER, np.full((1, 8, 8), 100.0)),
        (Units.AMPLITUDE, np.full((1, 8, 8), 100.0)),
        (Units.AMPLITUDE, np.full((1, 8, 8), 3.0)),
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
    db[db == 0] = 1  # 0 dB in all bands means no data
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


def test_coherence_is_neither_db_nor_told_for_it():
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


def test_units_are_told_by_the_bands_of_one_date():
    stack = tuple(Band(n, "db", (-30.0, 5.0), -12.0, 5.0) for n in ("VV_winter", "VV_summer", "VH_winter"))
    assert rows_that_tell_units(stack) == [0, 2] and rows_that_tell_units(COHERENT) == [0, 1]
    assert rows_that_tell_units(COHERENT[2:]) == []


def test_coherence_that_is_no_fraction_is_refused():
    check_coherence(np.array([[[0.0, 0.5, 1.0]]]), np.ones((1, 3), dtype=bool))
    with pytest.raises(InputError, match="between 0 and 1"):
        check_coherence(np.array([[[0.0, 128, 255]]]), np.ones((1, 3), dtype=bool))
