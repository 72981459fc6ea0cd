"""Test which colours the classes of a map have."""

import numpy as np
import pytest
import rasterio

from backend.accuracy.class_colours import class_colours
from backend.card.colours import colours_for
from backend.card.worldcover import COLOURS, NAMES, WATER
from backend.output.styles import paletted_qml
from tests.support.class_maps import CLASSES


@pytest.fixture
def table(tmp_path):
    """A map with a colour table: red, green and blue by value."""

    def write(colours):
        path = tmp_path / "map.tif"
        with rasterio.open(path, "w", "GTiff", 4, 1, 1, dtype="uint8") as file:
            file.write(np.array([[[0, 10, 60, 80]]], np.uint8))
            file.write_colormap(1, colours)
        return path

    return write


def test_a_grey_class_of_a_coloured_table_keeps_its_grey(table):
    assert class_colours(str(table({10: (0, 100, 0), 60: (180, 180, 180)}))) == {10: "#006400", 60: "#b4b4b4"}


def test_a_grey_ramp_is_no_choice_of_colours(table):
    assert class_colours(str(table({value: (value, value, value) for value in range(256)}))) == {}


def test_the_style_beside_a_map_prevails(table):
    path = table({10: (1, 2, 3), 99: (4, 5, 6)})
    path.with_suffix(".qml").write_text(paletted_qml(CLASSES))
    found = class_colours(str(path))
    assert found == {**{item.value: item.color for item in CLASSES}, 99: "#040506"}


def test_classes_without_a_colour_get_different_ones():
    names = {1: "Forest", 2: "Class two", 3: "bosque", 4: "4", WATER: NAMES[WATER]}
    found = colours_for(sorted(names), names, {2: "#123456"})
    assert found[2] == "#123456" and found[WATER] == COLOURS[WATER] and len(set(found.values())) == len(names)
