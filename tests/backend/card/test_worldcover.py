"""Test the legend of ESA WorldCover and its groups."""

from backend.card.worldcover import MERGED, NAMES, worldcover_groups


def test_every_worldcover_value_has_a_group():
    assert set(MERGED) == set(NAMES) == {10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100}
    assert worldcover_groups([80, 10, 95]) == ["water", "tree", "tree"]
    assert worldcover_groups([10, 11]) is None
