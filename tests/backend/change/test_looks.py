"""Test looks of a window from two dates, and the test of the ratio: false alarms at the stated level, and detection."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backend.change.looks import estimate_looks, intensity_correlation
from backend.change.multilook import multilook
from backend.change.ratio_test import change_significance
from backend.change.sar_rows import BOTH, BRIGHTER, DARKER, SAME, examine_rows
from backend.core.errors import InputError
from tests.backend.change.conftest import speckle

WINDOW = 7


def looks_of(dates, size=WINDOW):
    ratios = np.log(dates[1] / dates[0])
    valid = np.ones(ratios.shape[1:], bool)
    return [estimate_looks([(ratio, valid)], size) for ratio in ratios]


@pytest.mark.parametrize(("looks", "sigma"), [(1, 0.6), (4, 0.8), (5, 1.1)])
def test_looks_of_a_window_are_those_of_its_mean(looks, sigma):
    shape = (384, 384)
    dates = np.stack([speckle(1, shape, looks, sigma), speckle(2, shape, looks, sigma)])
    (found,) = looks_of(dates[:, None])
    assert found.pixel == pytest.approx(looks, rel=0.06)
    means = multilook(dates[:, None], np.ones(shape, bool), WINDOW).power[:, 0, 4:-4, 4:-4]
    measured = np.mean([mean.mean() ** 2 / mean.var() for mean in means])
    assert found.window == pytest.approx(measured, rel=0.12)


def test_texture_and_shared_changes_do_not_lower_the_looks(dates):
    changed = dates.copy()
    changed[1, :, :100] *= 4  # a third of the scene rose by 6 dB
    changed[1] *= np.linspace(0.7, 1.5, 320)  # and there is a trend
    for found in looks_of(changed):
        assert found.pixel == pytest.approx(4, rel=0.1)


def test_correlation_of_powers_from_that_of_logarithms():
    """Exact for one look, where log powers of correlation rho have the dilogarithm of it as covariance."""
    rho = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    dilogarithm = np.array([sum(r**k / k**2 for k in range(1, 4000)) for r in rho])
    assert intensity_correlation(dilogarithm / dilogarithm[-1], 1.0) == pytest.approx(rho, abs=5e-3)


def test_the_test_is_that_of_the_ratio():
    """One polarisation: as the likelihood-ratio test by the F distribution, of equal looks two-sided."""
    ratio = np.log(np.array([1.0, 1.3, 2.0, 0.5, 4.0]))
    for looks in (3.0, 10.0, 60.0):
        exact = 2 * stats.f.sf(np.exp(np.abs(ratio)), 2 * looks, 2 * looks)
        found = change_significance([ratio], [np.full(5, looks)])
        assert found == pytest.approx(exact, rel=0.02, abs=1e-9)


def test_two_polarisations_together_have_uniform_p_values():
    rng = np.random.default_rng(3)
    looks = 8.0
    draws = rng.gamma(looks, size=(2, 2, 400_000))
    p = change_significance(list(np.log(draws[1] / draws[0])), [np.full(400_000, looks)] * 2)
    for level in (0.1, 0.01, 0.001):
        assert np.mean(p < level) == pytest.approx(level, rel=0.1)


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_false_alarms_without_change_are_at_the_stated_level(dates, level):
    """On textured ground with houses; a window in forty of a scene is independent, so a margin is left."""
    looks = [found.window for found in looks_of(dates)]
    part = multilook(dates, np.ones(dates.shape[2:], bool), WINDOW)
    rows = examine_rows(part, looks, level)
    share = float(np.mean(rows.outcome != SAME))
    assert 0.35 * level < share < 1.3 * level


def test_changes_are_found_with_their_direction(dates):
    changed = dates.copy()
    changed[1, :, 40:60, 40:60] /= 6
    changed[1, :, 100:120, 100:120] *= 6
    changed[1, 0, 200:220, 200:220] *= 6
    changed[1, 1, 200:220, 200:220] /= 6
    looks = [found.window for found in looks_of(changed)]
    rows = examine_rows(multilook(changed, np.ones(changed.shape[2:], bool), WINDOW), looks, 0.001)
    for place, outcome in ((50, DARKER), (110, BRIGHTER), (210, BOTH)):
        assert (rows.outcome[place - 5 : place + 5, place - 5 : place + 5] == outcome).mean() > 0.95
    assert rows.decibels[:, 50, 50] == pytest.approx([-7.8, -7.8], abs=3)
    assert (rows.p_value[45:55, 45:55] < 0.001).all()


def test_the_same_date_twice_is_refused(dates):
    with pytest.raises(InputError, match="same values"):
        looks_of(np.stack((dates[0], dates[0])))
    with pytest.raises(InputError, match="Looks can't be estimated"):
        looks_of(dates[:, :, :40, :40])


def test_windows_beside_nodata_average_what_is_there(dates):
    valid = np.ones(dates.shape[2:], bool)
    valid[:, 100:] = False
    cut = np.where(valid, dates, np.float32(0))
    part = multilook(cut, valid, WINDOW)
    assert part.valid[:, :99].mean() > 0.98 and not part.valid[:, 100:].any()
    assert part.power[0, 0, 50, 99] == pytest.approx(dates[0, 0, 47:54, 96:100].mean(), rel=1e-4)
    # Half the pixels have half the looks.
    assert part.share[50, 99] == pytest.approx(4 / 7) and part.share[50, 50] == pytest.approx(1)
