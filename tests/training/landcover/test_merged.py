"""Test the merged legend by what it has been in models, cards and documents."""

from backend.card.model_card import LandCoverClass
from training.landcover.merged import MERGED_CLASSES, legend_of_card, merged_value

EXPECTED = (
    LandCoverClass(10, "Tree cover", "#006400"),
    LandCoverClass(30, "Open land", "#e8d66c"),
    LandCoverClass(50, "Built-up", "#fa0000"),
    LandCoverClass(80, "Water or very smooth surface", "#0064c8"),
)


def test_the_merged_legend_stays_as_it_is():
    assert MERGED_CLASSES == EXPECTED
    codes = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
    assert [merged_value(code) for code in codes] == [10, 30, 30, 30, 50, 30, 30, 80, 30, 10, 30]
    assert merged_value(7) is None


def test_labels_of_worldcover_get_the_indices_of_a_merged_model():
    indices = legend_of_card(EXPECTED).indices
    assert [indices[code] for code in (10, 95, 20, 40, 50, 80)] == [0, 0, 1, 1, 2, 3]
    assert legend_of_card(EXPECTED[:1]).indices == {10: 0, 95: 0}


def test_another_legend_is_taken_as_it_is():
    classes = (LandCoverClass(10, "Forest", "#006400"), LandCoverClass(80, "River", "#0064c8"))
    assert legend_of_card(classes).indices == {10: 0, 80: 1}
