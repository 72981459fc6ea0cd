"""Test the stratified estimator: the published example, another derivation, and coverage in repeated draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.accuracy.stratified import Z95, allocate, estimate, interval
from backend.core.errors import InputError

# Olofsson et al. 2014, table 8: rows are map classes (deforestation, forest gain, stable forest, stable non-forest).
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000.0])
HECTARES = PIXELS * 30 * 30 / 10_000


def test_areas_of_the_published_example():
    found = estimate(COUNTS, HECTARES)
    np.testing.assert_allclose(found.areas[:, 0], [21_158, 11_686, 285_770, 581_386], atol=0.6)
    np.testing.assert_allclose(Z95 * found.areas[:, 1], [6_158, 3_756, 15_510, 16_282], atol=0.6)
    assert found.areas[0, 0] / 0.09 == pytest.approx(235_086, abs=1)
    assert found.areas[:, 0].sum() == pytest.approx(HECTARES.sum())


def test_accuracies_of_the_published_example():
    found = estimate(COUNTS, HECTARES)
    assert (found.overall[0], Z95 * found.overall[1]) == pytest.approx((0.947, 0.018), abs=5e-4)
    np.testing.assert_allclose(found.users[:, 0], [0.88, 0.73, 0.93, 0.96], atol=5e-3)
    np.testing.assert_allclose(Z95 * found.users[:, 1], [0.07, 0.10, 0.04, 0.02], atol=5e-3)
    np.testing.assert_allclose(found.producers[0], [0.75, 0.21 / Z95], atol=5e-3)


def ratio_of_totals(counts, mapped, numerator, denominator):
    """Stehman 2014 (Int. J. Remote Sensing 35), equations 27 and 28: a ratio estimated from single units."""
    top = bottom = 0.0
    strata = []
    for row, area in enumerate(mapped):
        y = np.repeat([float(numerator(row, c)) for c in range(len(mapped))], counts[row])
        x = np.repeat([float(denominator(row, c)) for c in range(len(mapped))], counts[row])
        top, bottom = top + area * y.mean(), bottom + area * x.mean()
        strata.append((area, y, x))
    ratio = top / bottom
    variance = sum(area**2 * (y - ratio * x).var(ddof=1) / y.size for area, y, x in strata)
    return ratio, np.sqrt(variance) / bottom


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_agrees_with_the_estimator_of_single_units(classes, seed):
    generator = np.random.default_rng(seed)
    counts = generator.integers(1, 60, (classes, classes))
    mapped = generator.uniform(1, 1e6, classes)
    found = estimate(counts, mapped)
    everything = ratio_of_totals(counts, mapped, lambda i, j: i == j, lambda i, j: True)
    np.testing.assert_allclose(found.overall, everything)
    for k in range(classes):
        users = ratio_of_totals(counts, mapped, lambda i, j, k=k: i == j == k, lambda i, j, k=k: i == k)
        producers = ratio_of_totals(counts, mapped, lambda i, j, k=k: i == j == k, lambda i, j, k=k: j == k)
        share = ratio_of_totals(counts, mapped, lambda i, j, k=k: j == k, lambda i, j: True)
        np.testing.assert_allclose(found.users[k], users)
        np.testing.assert_allclose(found.producers[k], producers)
        np.testing.assert_allclose(found.areas[k] / mapped.sum(), share)


def test_intervals_cover_the_truth_at_their_level():
    generator = np.random.default_rng(5)
    truth = np.array([[0.8, 0.15, 0.05], [0.1, 0.85, 0.05], [0.05, 0.05, 0.9]])
    mapped = np.array([700.0, 250.0, 50.0])
    area = (mapped[:, None] * truth).sum(axis=0)
    covered = np.zeros(3)
    for _ in range(2000):
        counts = np.stack([generator.multinomial(150, row) for row in truth])
        ends = np.array([interval(pair) for pair in estimate(counts, mapped).areas])
        covered += (ends[:, 0] <= area) & (area <= ends[:, 1])
    assert np.all(np.abs(covered / 2000 - 0.95) < 0.025)


def test_strata_without_two_units_are_left_out():
    counts = np.array([[20, 2, 0], [0, 1, 0], [0, 0, 0]])
    found = estimate(counts, np.array([90.0, 10.0, 0.0]))
    assert found.strata.tolist() == [True, False, False]
    assert found.total == 90 and found.areas[:, 0].sum() == pytest.approx(90)
    assert np.isnan(found.users[1:]).all() and np.isnan(found.producers[2]).all()
    assert found.producers[1, 0] == 0


def test_nothing_to_estimate_is_refused():
    with pytest.raises(InputError, match="two or more sampling units"):
        estimate(np.eye(3, dtype=int), np.ones(3))


def test_a_class_that_only_the_reference_has_gets_an_area():
    counts = np.array([[8, 2], [0, 0]])
    found = estimate(counts, np.array([100.0, 0.0]))
    assert found.areas[1, 0] == pytest.approx(20) and found.areas[1, 1] > 0
    assert found.producers[1].tolist() == [0, 0]


@given(st.integers(1, 12), st.integers(0, 5000), st.integers(0, 2**32 - 1))
def test_an_allocation_is_complete_and_reaches_all_classes(classes, more, seed):
    mapped = np.random.default_rng(seed).pareto(1, classes) + 1e-3
    size = 2 * classes + more
    units = allocate(size, mapped)
    assert units.sum() == size
    assert units.min() >= min(50, max(2, size // (2 * classes)))


def test_rare_classes_get_the_recommended_fifty():
    assert allocate(640, np.array([2.0, 1.5, 32.0, 64.5]))[:2].tolist() == [59, 56]


def test_absent_classes_get_no_unit_and_few_units_are_refused():
    assert allocate(10, np.array([5.0, 0.0]))[1] == 0
    with pytest.raises(InputError, match="too small"):
        allocate(5, np.ones(3))
