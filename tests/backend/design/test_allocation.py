"""How many points a sample needs, and of which classes: the example of the paper, and what the formula can't give."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.design.allocation import allocate, needed, plan, standard_error

# Olofsson et al. 2014, section 5: deforestation, forest gain, stable forest, stable non-forest.
SHARES = np.array([0.02, 0.015, 0.32, 0.645])
EXPECTED = np.array([0.7, 0.6, 0.9, 0.95])


def test_the_number_of_points_is_that_of_the_paper():
    assert needed(SHARES, EXPECTED, 0.01) == 641


def test_rare_classes_get_a_fixed_number_others_the_rest_by_area():
    """The paper gives 75 to each rare class of 641: then 149 + 342 (it rounds to 165 and 325)."""
    units = allocate(641, SHARES, 75)
    assert units.tolist() == [75, 75, 163, 328] and units.sum() == 641


def test_a_class_that_becomes_rare_by_others_is_rare_too():
    units = allocate(200, np.array([0.02, 0.02, 0.26, 0.7]), 50)
    assert units.tolist() == [50, 50, 50, 50]
    assert allocate(10, np.array([0.5, 0.5]), 50).tolist() == [50, 50]


def test_without_rare_classes_all_is_by_area():
    assert allocate(1000, np.array([0.25, 0.75]), 50).tolist() == [250, 750]


@pytest.mark.parametrize("wanted", [0.005, 0.01, 0.03])
@pytest.mark.parametrize("least", [2, 50, 100])
def test_the_plan_reaches_the_wanted_error_with_few_points(wanted, least):
    units = plan(SHARES, EXPECTED, wanted, least)
    assert standard_error(units, SHARES, EXPECTED) <= wanted
    assert units.min() >= least
    size = int(units.sum())
    if size > 4 * least + 40:
        assert standard_error(allocate(int(size * 0.99), SHARES, least), SHARES, EXPECTED) > wanted


def test_more_points_than_anyone_looks_at_are_refused():
    with pytest.raises(InputError, match="more than 100,000 points"):
        plan(SHARES, EXPECTED, 0.0001, 50)
