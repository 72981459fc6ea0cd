"""Test legends from the classes of samples."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import InputError
from backend.own_classes.legend import build_legend, read_styles
from backend.own_classes.samples import clean_label


def test_values_do_not_depend_on_the_order_of_samples():
    legend, index = build_legend([7, 254, 7], {})
    assert [(c.value, c.name) for c in legend] == [(7, "7"), (254, "254")] and index == {7: 0, 254: 1}
    one, _ = build_legend(["rice", "Tree cover", "fallow"], {})
    assert one == build_legend(["fallow", "rice", "Tree cover", "rice"], {})[0]
    assert [(c.value, c.name) for c in one] == [(1, "fallow"), (2, "rice"), (10, "Tree cover")]
    assert one[2].color == "#006400"


def test_classes_of_the_bundled_legends_keep_value_and_colour():
    """Open land has the value of grassland, so that one of the two gets another value, and a colour of its own."""
    legend, _ = build_legend(["open land", "Built-up", "water or very smooth surface", "rice"], {})
    assert [(c.value, c.color) for c in legend if c.name != "rice"] == [
        (30, "#e8d66c"), (50, "#fa0000"), (80, "#0064c8"),
    ]  # fmt: skip
    both, _ = build_legend(["Open land", "Grassland"], {})
    assert [(c.value, c.name) for c in both] == [(1, "Open land"), (30, "Grassland")]
    assert both[1].color == "#ffff4c" and len({c.color for c in both}) == 2
    assert [c.color for c in build_legend([30, 80], {})[0]] == ["#ffff4c", "#0064c8"]


def test_common_words_get_their_colour_and_only_water_is_blue():
    names = ["forest", "Pine forest", "river", "Ciudad", "pastures", "río", "rice", "no water", *"abcdefghijkl"]
    colors = {c.name: c.color for c in build_legend(names, {})[0]}
    expected = {"forest": "#006400", "Ciudad": "#fa0000", "pastures": "#ffff4c", "river": "#0064c8"}
    assert expected.items() <= colors.items() and len(set(colors.values())) == len(names)
    assert colors["Pine forest"] == "#004b00" and colors["río"] == "#004b96", "shades of a colour that is taken"
    for name in set(names) - {"river", "río"}:
        red, green, blue = (int(colors[name][at : at + 2], 16) for at in (1, 3, 5))
        assert blue <= max(red, green), f"{name} looks like water"


def test_styles_of_a_file_take_precedence(tmp_path):
    path = tmp_path / "legend.json"
    path.write_text(json.dumps({"a": {"name": "Alder", "color": "#102030"}, "7.0": {"name": "Seven"}, "z": {}}))
    legend, _ = build_legend(["a", "b", 7], read_styles(path))
    assert [(c.value, c.name) for c in legend] == [(1, "Alder"), (2, "b"), (7, "Seven")]
    assert legend[0].color == "#102030" and len({c.color for c in legend}) == 3


@pytest.mark.parametrize("text", ["{", "[]", '{"a": "red"}', '{"a": {"color": "url(x)"}}', None])
def test_an_invalid_legend_is_refused_with_a_hint(tmp_path, text):
    path = tmp_path / "legend.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_styles(path)
    assert caught.value.hint and "\n" not in caught.value.message


@pytest.mark.parametrize("labels", [["only"], list(range(-400, 0))])
def test_too_few_and_too_many_classes_are_refused(labels):
    with pytest.raises(InputError, match="2 to 254"):
        build_legend(labels, {})


@given(st.lists(st.one_of(st.integers(-5, 300), st.text(max_size=200)), min_size=2, max_size=60))
def test_any_classes_make_a_legend_valid_in_a_card(values):
    labels = [label for label in map(clean_label, values) if label is not None]
    if len(set(labels)) < 2:
        return
    legend, index = build_legend(labels, {})
    assert len({c.value for c in legend}) == len(legend) == len(set(labels))
    assert all(1 <= c.value <= 254 and 0 < len(c.name) <= 100 and c.name.isprintable() for c in legend)
    assert all(legend[index[v]].value == v for v in labels if isinstance(v, int) and 1 <= v <= 254)
