"""Test the merged legend against what the backend knows of it."""

from backend.card.worldcover import CODES, MERGED, MERGED_COLOURS, MERGED_NAMES, MERGED_VALUES
from training.landcover.merged import MERGED_CLASSES, merged_value


def test_the_backend_knows_the_merged_legend():
    assert {item.value: (item.name, item.color) for item in MERGED_CLASSES} == {
        value: (MERGED_NAMES[value], MERGED_COLOURS[value]) for value in MERGED_NAMES
    }
    assert all(merged_value(code) == MERGED_VALUES[MERGED[code]] for code in CODES)
