"""Test maps of the four merged classes against references with WorldCover's values."""

from pathlib import Path

import numpy as np
import pytest

from backend.accuracy.merging import has_merged_legend
from backend.card.model_card import LandCoverClass
from backend.card.worldcover import CODES, MERGED_COLOURS, MERGED_NAMES, NAMES
from backend.core.errors import InputError
from backend.output.styles import aux_xml, paletted_qml
from tests.support.class_maps import brute, centre

MERGED_CLASSES = [LandCoverClass(value, name, MERGED_COLOURS[value]) for value, name in MERGED_NAMES.items()]
# Stripes of five columns, one for each of WorldCover's classes, and what each is on a map of merged classes.
REFERENCE = np.repeat(np.array(CODES, np.uint8), 5)[None].repeat(20, axis=0)
MERGED_TO = {20: 30, 40: 30, 60: 30, 70: 30, 90: 30, 100: 30, 95: 10}
TRUTH = np.vectorize(lambda value: MERGED_TO.get(value, value))(REFERENCE).astype(np.uint8)
VALUES = (10, 30, 50, 80)


@pytest.fixture
def wrong():
    """A map of merged classes in which the upper fifth is built-up."""
    values = TRUTH.copy()
    values[:4] = 50
    return values


@pytest.fixture
def named(make):
    """Write a map of merged classes, with their names in a sidecar."""

    def write(values, kind="aux", classes=MERGED_CLASSES):
        path = make(values, "map.tif")
        if kind == "aux":
            Path(f"{path}.aux.xml").write_text(aux_xml(classes, {}))
        else:
            path.with_suffix(".qml").write_text(paletted_qml(classes))
        return path

    return write


def points(step=2):
    places = [(row, column) for row in range(0, 20, step) for column in range(0, REFERENCE.shape[1], step)]
    return places, [{"type": "Point", "coordinates": centre(*place)} for place in places]


@pytest.mark.parametrize("kind", ["aux", "qml"])
def test_values_of_a_raster_are_merged_without_settings(named, make, assess, wrong, kind):
    facts = assess(named(wrong, kind), make(REFERENCE, "ref.tif"))
    assert facts["pixels"]["matrix"] == brute(wrong, TRUTH, VALUES)
    assert [c["name"] for c in facts["classes"]] == list(MERGED_NAMES.values())
    assert facts["pixels"]["overall_accuracy"] == pytest.approx((wrong == TRUTH).mean())
    # Areas move with the pixels.
    assert [a["compared_reference"] for a in facts["areas"]] == [100 * int((TRUTH == v).sum()) for v in VALUES]


def test_json_and_report_tell_what_was_merged(named, make, assess, wrong, tmp_path):
    facts = assess(named(wrong), make(REFERENCE, "ref.tif"))
    assert {m["value"]: [old["value"] for old in m["from"]] for m in facts["merged"]} == {
        10: [95], 30: [20, 40, 60, 70, 90, 100],
    }  # fmt: skip
    assert facts["merged"][0] == {"value": 10, "name": "Tree cover", "from": [{"value": 95, "name": "Mangroves"}]}
    assert "40 Cropland" in facts["notes"][0] and "into 30 Open land" in facts["notes"][0]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "95 Mangroves into 10 Tree cover" in page and "40 Cropland" in page


def test_a_sample_of_merged_values_has_estimates(named, make, assess, wrong):
    facts = assess(named(wrong), make(REFERENCE, "ref.tif"), sample=400)
    matrix = np.array(facts["estimates"]["matrix"])
    assert matrix.shape == (4, 4) and matrix.sum() == 400 and matrix[1, 1] == matrix[1].sum()


def test_points_of_worldcover_values_are_merged(named, assess, geojson, wrong):
    places, shapes = points()
    facts = assess(named(wrong), geojson([(int(REFERENCE[p]), shape) for p, shape in zip(places, shapes)]))
    rows, columns = np.array(places).T
    expected = brute(wrong[rows, columns], TRUTH[rows, columns], VALUES)
    assert facts["pixels"]["matrix"] == facts["estimates"]["matrix"] == expected and facts["merged"]


def test_points_with_names_of_worldcover_are_merged(named, assess, geojson):
    places, shapes = points()
    found = [(NAMES[int(REFERENCE[p])].upper(), shape) for p, shape in zip(places, shapes)]
    facts = assess(named(TRUTH), geojson([*found, ("open land", shapes[-1]), ("rice", shapes[0])]))
    assert facts["left_out"] == {"features of the class 'rice', which the map doesn't name": 1}
    assert facts["pixels"]["overall_accuracy"] == 1 and facts["merged"][1]["from"][1]["name"] == "Cropland"


def test_a_mapping_of_the_user_takes_precedence(named, make, assess, geojson):
    """Keep the values that the user maps, to themselves too; merge the others."""
    map_, reference = named(TRUTH), make(REFERENCE, "ref.tif")
    facts = assess(map_, reference, mapping={"95": 80, "40": 40})
    values = [c["value"] for c in facts["classes"]]
    assert values == [10, 30, 40, 50, 80] and [m["value"] for m in facts["merged"]] == [30]
    assert facts["pixels"]["matrix"][1] == [0, 6 * 100, 100, 0, 0]
    assert facts["pixels"]["matrix"][0] == [100, 0, 0, 0, 100]
    places, shapes = points()
    features = [(int(REFERENCE[p]), shape) for p, shape in zip(places, shapes)]
    found = assess(map_, geojson(features), mapping={"95": 80, "40": 40})
    assert [c["value"] for c in found["classes"]] == values


def test_values_alone_tell_where_the_map_has_no_names(make, assess, wrong):
    facts = assess(make(wrong, "map.tif"), make(REFERENCE, "ref.tif"))
    assert facts["pixels"]["matrix"] == brute(wrong, TRUTH, VALUES)
    assert facts["notes"][0].startswith("The map has no class names. All its values (10, 30, 50, 80)")
    assert [c["name"] for c in facts["classes"]] == list(MERGED_NAMES.values())


def test_maps_of_another_legend_are_not_merged(named, make, assess):
    """WorldCover's own names, other names, and other values."""
    reference = make(REFERENCE, "ref.tif")
    own = [LandCoverClass(value, NAMES[value], "#000000") for value in VALUES]
    forest = [LandCoverClass(value, f"kind {value}", "#000000") for value in VALUES]
    for classes in (own, forest):
        facts = assess(named(TRUTH, classes=classes), reference)
        assert facts["merged"] == [] and len(facts["classes"]) == 11
    facts = assess(make(np.where(TRUTH == 50, 40, TRUTH).astype(np.uint8), "other.tif"), reference)
    assert facts["merged"] == [] and len(facts["classes"]) == 11


def test_a_reference_of_another_legend_is_not_merged(named, make, assess):
    """Values 90 and 95 are wetlands in NLCD."""
    other = np.where(REFERENCE == 20, 21, REFERENCE).astype(np.uint8)
    facts = assess(named(TRUTH), make(other, "ref.tif"))
    assert facts["merged"] == [] and len(facts["classes"]) == 11
    assert any("has other values (21)" in note and "20=30" in note for note in facts["notes"])
    facts = assess(named(TRUTH), make(other, "ref.tif"), mapping={"21": 50})
    assert facts["merged"] == [] and any("has other values (21)" in note for note in facts["notes"])
    without = make(TRUTH, "plain.tif")
    assert not any("other values" in note for note in assess(without, make(other, "ref.tif"))["notes"])


def test_classes_that_only_merging_has_in_common(named, make, assess):
    """A map of open land against crops can be compared; without names it has to be open land too."""
    fields = np.full((20, 20), 40, np.uint8)
    facts = assess(named(np.full((20, 20), 30, np.uint8)), make(fields, "ref.tif"))
    assert facts["pixels"]["overall_accuracy"] == 1
    with pytest.raises(InputError, match="no class in common"):
        assess(named(np.full((20, 20), 80, np.uint8)), make(fields, "ref.tif"))


def test_a_reference_of_merged_classes_needs_no_merging(named, make, assess, wrong):
    facts = assess(named(wrong), make(TRUTH, "ref.tif"))
    assert facts["merged"] == [] and facts["pixels"]["matrix"] == brute(wrong, TRUTH, VALUES)


@pytest.mark.parametrize(
    ("names", "merged"),
    [(MERGED_NAMES, True), ({10: "tree cover", 30: "OPEN LAND"}, True), ({80: MERGED_NAMES[80]}, True), ({}, False),
     ({10: "Tree cover", 50: "Built-up"}, False), (NAMES, False), ({**MERGED_NAMES, 1: "rice"}, False),
     ({30: "Tree cover"}, False)],
)  # fmt: skip
def test_the_legend_is_known_by_values_and_names(names, merged):
    assert has_merged_legend(names) is merged
