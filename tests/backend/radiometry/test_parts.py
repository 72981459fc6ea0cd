"""Rasters put together from different things are refused: units, orders of bands, amplitude beside power, a ratio."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.radiometry.checks import refuse
from backend.radiometry.judge import Told, judge
from backend.radiometry.ratio import ratio_row
from tests.support.backscatter import every, land
from tests.support.geotiffs import BANDS


def judged(values, found_by="names"):
    values = np.asarray(values, dtype=np.float32)
    return judge(values, every(values), BANDS, Told(found_by=found_by))


def refusal(values, found_by="names"):
    with pytest.raises(InputError) as caught:
        refuse(judged(values, found_by).checks)
    return f"{caught.value.message} {caught.value.hint}"


@pytest.fixture
def db():
    return land(np.random.default_rng(1))


def test_decibels_in_one_half_and_power_in_the_other(db):
    db[:, :, 32:] = 10 ** (db[:, :, 32:] / 10)
    assert "holds dB in one part and linear values in another" in refusal(db)


@pytest.mark.parametrize("found_by", ["names", "position"])
def test_bands_exchanged_in_one_half(db, found_by):
    db[:, :, 32:] = db[::-1, :, 32:].copy()
    assert "weaker band in one part of the raster" in refusal(db, found_by)


def test_one_polarisation_twice_with_noise(db):
    db[1] = db[0] + np.random.default_rng(2).normal(0, 0.3, db[0].shape)
    assert "two polarisations of Sentinel-1" in refusal(db)


def test_amplitude_beside_power_is_warned_of_or_refused(db):
    power = 10 ** (db / 10)
    power[0] = np.sqrt(power[0])
    checks = judged(power).checks
    assert any(check.name == "speckle of VV" and check.verdict != "ok" for check in checks)
    assert not any(check.name.startswith("speckle") for check in judged(10 ** (db / 10)).checks)


def test_filling_that_was_resampled_is_one_line(db):
    db[:, :5] = np.random.default_rng(3).normal(-9999, 50, (2, 5, 64))
    judgement = judged(db)
    refuse(judgement.checks)
    assert not judgement.valid[:5].any() and judgement.valid[5:].all()
    said = [check for check in judgement.checks if check.verdict == "corrected"]
    assert 0 < len(said) <= 8 and any("outside -70 to 50 dB" in check.text for check in said)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("linear", [False, True])
def test_a_ratio_among_three_bands_is_found(db, place, linear):
    for ratio in (db[0] - db[1], db[1] - db[0]) if not linear else (db[0] - db[1],):
        bands = np.insert(db, place, ratio, axis=0)
        assert ratio_row(10 ** (bands / 10) if linear else bands, every(db)) == place
    assert ratio_row(np.insert(db, place, db[0] + 3, axis=0)[:, ::-1] * [[[1]], [[0.9]], [[1]]], every(db)) is None
