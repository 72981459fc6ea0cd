"""Units are decided from values, or checked against them."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.radiometry.convert import to_db, to_power
from backend.radiometry.units import Units, check_units, decide_units, units_doubt
from tests.support.backscatter import every, land

# Land, global mean (SSL4EO-S12), sea at low wind, rough sea, forest, city, desert: VV and VH means in dB.
PLACES = [(-11, -18), (-12.6, -20.3), (-22, -28), (-14, -25), (-8, -13), (-5, -12), (-3, -10), (-17, -25)]


def in_units(db, units):
    power = to_power(db, Units.DB)
    return {Units.DB: db, Units.LINEAR_POWER: power, Units.AMPLITUDE: np.sqrt(power)}[units]


@pytest.mark.parametrize(("vv", "vh"), PLACES)
@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_units_are_decided_from_values(vv, vh, units):
    values = in_units(land(np.random.default_rng(0), vv, vh), units)
    if units is Units.AMPLITUDE and (vv, vh) == (-14, -25):
        # Over rough sea the polarisations differ by 11 dB, so its amplitude looks like the power of land of -7 and
        # -12.5 dB: the values do not decide, and the user gets a warning.
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
def test_units_of_one_band_are_decided_by_its_level(units):
    values = in_units(land(np.random.default_rng(0), vv=-14)[:1], units)
    assert decide_units(values, every(values)) is units
    bright = in_units(land(np.random.default_rng(0), vv=-9)[:1], Units.LINEAR_POWER)
    assert "amplitude" in units_doubt(bright, every(bright))


def test_noise_subtracted_power_may_be_negative():
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


@pytest.mark.parametrize("rows", [5, 60, 63])
def test_borders_of_0_db_are_nodata(rows):
    db = land(np.random.default_rng(2))
    db[:, :rows] = 0
    db[0, 63, 0] = 0
    assert decide_units(db, every(db)) is Units.DB
    _, valid = to_db(db, every(db), Units.DB)
    assert not valid[:rows].any() and valid[rows:].all()
    # A single polarisation may be 0 dB somewhere.
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
