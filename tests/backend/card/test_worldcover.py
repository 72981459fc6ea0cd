"""Test the legend of ESA WorldCover, its groups, and the legend merged from it."""

from backend.card.worldcover import (
    CODES,
    COLOURS,
    MERGED,
    MERGED_COLOURS,
    MERGED_NAMES,
    MERGED_VALUES,
    NAMES,
    worldcover_groups,
)

# Table of the ESA WorldCover product user manual, v2.0.
MANUAL = {
    10: ("Tree cover", "#006400"),
    20: ("Shrubland", "#ffbb22"),
    30: ("Grassland", "#ffff4c"),
    40: ("Cropland", "#f096ff"),
    50: ("Built-up", "#fa0000"),
    60: ("Bare / sparse vegetation", "#b4b4b4"),
    70: ("Snow and ice", "#f0f0f0"),
    80: ("Permanent water bodies", "#0064c8"),
    90: ("Herbaceous wetland", "#0096a0"),
    95: ("Mangroves", "#00cf75"),
    100: ("Moss and lichen", "#fae6a0"),
}


def test_names_and_colours_are_those_of_the_manual():
    assert {value: (NAMES[value], COLOURS[value]) for value in CODES} == MANUAL


def test_each_code_has_name_colour_and_group():
    assert set(MERGED) == set(NAMES) == set(COLOURS) == set(CODES) == {10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100}


def test_each_group_is_a_class_of_the_merged_legend():
    assert {MERGED[value] for value in CODES} == set(MERGED_VALUES)
    assert set(MERGED_VALUES.values()) == set(MERGED_NAMES) == set(MERGED_COLOURS) == {10, 30, 50, 80}
    assert all(MERGED[value] == group for group, value in MERGED_VALUES.items())


def test_groups_are_for_worldcover_codes_only():
    assert worldcover_groups([80, 10, 95]) == ["water", "tree", "tree"]
    assert worldcover_groups([10, 11]) is None
