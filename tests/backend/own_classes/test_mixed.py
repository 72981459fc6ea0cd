"""Test which classes are said not to have been learnt."""

from __future__ import annotations

from backend.card.model_card import LandCoverClass
from backend.own_classes.mixed import mixed_classes

LEGEND = [LandCoverClass(number, name, "#000000") for number, name in enumerate(("rice", "maize", "wheat", "none"), 1)]


def test_a_mixed_class_is_named_with_what_it_is_taken_for():
    # Rows are what is mapped, columns what is true.
    confusion = [[90, 60, 5, 0], [5, 30, 5, 0], [5, 10, 90, 0], [0, 0, 0, 0]]
    (line,) = mixed_classes({"confusion": confusion}, LEGEND)
    assert line.startswith("maize could not be learnt: of its held-out pixels 30% are mapped as it; 60% as rice. Join")


def test_classes_that_were_found_are_not_named():
    assert mixed_classes({"confusion": [[9, 4], [1, 6]]}, LEGEND[:2]) == []
