"""Test the legend of ESA WorldCover and its groups."""

from backend.card.worldcover import CODES, COLOURS, MERGED, NAMES, worldcover_groups


def test_each_code_has_name_colour_and_group():
    assert set(MERGED) == set(NAMES) == set(COLOURS) == set(CODES) == {10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100}


def test_groups_are_for_worldcover_codes_only():
    assert worldcover_groups([80, 10, 95]) == ["water", "tree", "tree"]
    assert worldcover_groups([10, 11]) is None
