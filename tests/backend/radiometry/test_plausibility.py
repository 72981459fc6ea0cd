"""Values that can't be backscatter are refused, and exchanged bands, filling and untold factors are recognised."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.radiometry.checks import refuse
from backend.radiometry.judge import Told, judge
from backend.radiometry.units import Units
from tests.support.backscatter import every, land
from tests.support.geotiffs import BANDS

NAMED, POSITION, ASKED = "names", "position", "asked"
# Medians of VV and VH over land, calm sea, wind, forest, a town, bright desert, dry snow, water at the noise floor.
PLACES = [(-11, -18), (-23, -30), (-11, -26), (-8, -13), (-3, -10), (-17, -26), (-7, -14), (-29, -29.6)]


def judged(values, found_by=NAMED, bands=BANDS, **told):
    values = np.asarray(values, dtype=np.float32)
    return judge(values, every(values), bands, Told(found_by=found_by, **told))


def refusal(values, found_by=NAMED, **told):
    with pytest.raises(InputError) as caught:
        refuse(judged(values, found_by, **told).checks)
    assert caught.value.hint
    return f"{caught.value.message} {caught.value.hint}"


def db(vv=-11.0, vh=-18.0, seed=0):
    return land(np.random.default_rng(seed), vv, vh)


@pytest.mark.parametrize(("vv", "vh"), PLACES)
def test_sea_desert_snow_forest_and_town_pass(vv, vh):
    refuse(judged(db(vv, vh)).checks)
    refuse(judged(10 ** (db(vv, vh) / 10), units=Units.LINEAR_POWER).checks)


@pytest.mark.parametrize("low", [-30.0, -40.0, -50.0])
def test_chips_scaled_to_0_1_are_refused(low):
    assert "--accept-values" in refusal(np.clip((db() - low) / (5 - low), 0, 1))


def test_chips_scaled_band_by_band_are_refused():
    values = db()
    low, high = (f(values, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
    assert refusal((values - low) / (high - low))
    assert refusal(2 * (values - low) / (high - low) - 1)


def test_standardised_chips_are_refused():
    values = db()
    assert "dB" in refusal((values - values.mean((1, 2), keepdims=True)) / values.std((1, 2), keepdims=True))


def test_coherence_is_no_backscatter():
    assert refusal(np.random.default_rng(0).beta(4, 4, (2, 64, 64)))


def test_accepted_values_are_mapped_and_told():
    checks = judged((db() + 30) / 35, accept=True).checks
    refuse(checks)
    assert "accepted" in {check.verdict for check in checks}


def test_a_band_in_db_beside_power_is_named():
    values = db()
    values[1] = 10 ** (values[1] / 10)
    assert "VV looks like dB, VH like linear values" in refusal(values)


@pytest.mark.parametrize("value", [0.0, -12.5, 255.0])
def test_a_constant_band_is_named(value):
    values = db()
    values[1] = value
    assert f"VH is {value:g} everywhere" in refusal(values)


def test_the_same_band_twice_is_refused():
    assert "same values" in refusal(db()[[0, 0]])


def test_exchanged_bands_without_names_are_exchanged():
    judgement = judged(db()[::-1], POSITION)
    refuse(judgement.checks)
    assert judgement.order == (1, 0)
    assert any("taken as VH, VV" in check.text and check.verdict == "corrected" for check in judgement.checks)
    assert judged(10 ** (db()[::-1] / 10), POSITION).order == (1, 0)
    assert judged(db(), POSITION).order == (0, 1)


def test_names_that_values_contradict_are_refused():
    assert "--bands" in refusal(db()[::-1])


def test_an_order_that_was_asked_for_is_believed_with_a_warning():
    judgement = judged(db()[::-1], ASKED)
    refuse(judgement.checks)
    assert judgement.order == (0, 1) and "warning" in {check.verdict for check in judgement.checks}


@pytest.mark.parametrize("fill", [0.0, -80.0, -300.0, -9999.0, 255.0, 32767.0])
def test_a_repeated_value_in_one_band_is_filling(fill):
    values = db()
    values[0, :5] = fill
    judgement = judged(values)
    refuse(judgement.checks)
    assert [(each.row, each.value) for each in judgement.filling] == [(0, fill)]
    assert not judgement.valid[:5].any() and judgement.valid[5:].all()


@pytest.mark.parametrize("fill", [1e-7, 255.0, -9999.0])
def test_a_repeated_value_in_linear_power_is_filling(fill):
    values = 10 ** (db() / 10)
    values[1, :5] = fill
    judgement = judged(values)
    assert [(each.row, each.value) for each in judgement.filling] == [(1, np.float32(fill))]
    assert judgement.units is Units.LINEAR_POWER


def test_a_few_impossible_values_are_filling():
    values = db()
    values[0, 0, :3] = -300
    assert judged(values).filling[0].value == -300


def test_values_cut_off_at_a_limit_stay_data():
    assert judged(db(-22, -29).clip(-25, None)).filling == ()


def test_whole_and_rounded_decibels_are_no_filling():
    assert judged(db().round(), kinds=("int16", "int16")).filling == ()
    assert judged(db().round(1)).filling == ()


def test_filling_is_named_as_it_stands_in_the_file():
    values = db().round(2)
    values[:, :9] = np.float32(-327.68)
    texts = [c.text for c in judged(values, kinds=("int16",) * 2, scaling=((0.01, 0.0),) * 2).checks]
    assert any("-a_nodata -32768 " in text for text in texts)


@pytest.mark.parametrize("times", [10, 100])
def test_decibels_times_a_factor_are_recognised(times):
    assert f"-scale {1 / times:g}" in refusal((db() * times).round(), kinds=("int16", "int16"))


def test_a_picture_is_called_a_picture():
    values = ((db() + 30) * 7).clip(0, 255).round()
    assert "picture, not measurements" in refusal(values, kinds=("uint8", "uint8"))
