"""Test the report: all figures, no external files, and no injection by file or class names."""

import re
from html.parser import HTMLParser

import pytest

from backend.accuracy.compare import Comparison
from backend.accuracy.figures import build_facts
from backend.accuracy.html_parts import DASH, as_json
from backend.accuracy.report import _area, _decimals, _interval, _share, as_csv, as_html

NASTY = "<script>alert('x')</script> & \"quotes\""


class Outline(HTMLParser):
    """Collects open tags, tables as rows of texts, and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.tables, self.attributes, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


@pytest.fixture
def facts():
    import numpy as np

    comparison = Comparison(units=[(10, 10)] * 8 + [(10, 80)] * 2 + [(80, 80)] * 9 + [(80, 10)], unit="points")
    for value in (10, 80):
        comparison.tally.add_mapped(np.full(5000, value), np.full(5000, 100.0))
        comparison.mapped[value] = 500_000.0
    for (row, column), count in {(10, 10): 8, (10, 80): 2, (80, 80): 9, (80, 10): 1}.items():
        comparison.tally.add_pairs(np.full(count, row), np.full(count, column), np.full(count, 100.0))
    built = build_facts(comparison, True, {10: NASTY, 80: "Water"})
    return {"program": "p", "date": "d", "map": f"/maps/{NASTY}.tif", "reference": NASTY, "sample": None,
            **built, "left_out": {NASTY: 1234}, "notes": [*built["notes"], NASTY]}  # fmt: skip


def test_the_report_is_well_formed_without_scripts(facts):
    page = as_html(facts)
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert not outline.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not [v for k, v in outline.attributes if k in ("src", "href") or k.startswith("on")]
    assert "<script" not in page and page.count("&lt;script&gt;") >= 6


def test_tables_hold_the_figures(facts):
    outline = Outline()
    outline.feed(as_html(facts))
    key, classes, matrix, estimates, units = outline.tables
    assert key[0][1].startswith("85.0 %")
    assert classes[1][:4] == [f"10 {NASTY}", "10", "9", "80.0 %"]
    assert [cell.split("%")[0] for cell in matrix[1][1:3]] == ["880.0 ", "220.0 "]
    assert matrix[3][1:] == ["9", "11", "20"]
    assert estimates[1][1:3] == ["50.00", "45.00"] and estimates[1][3].startswith("± ")
    assert units[1][1] == matrix[1][1]


def test_colours_grow_with_the_share_of_the_row(facts):
    colours = re.findall(r"<td style='background-color:#(..)(..)(..);color:(#\w+)'>", as_html(facts))
    right, wrong = colours[0], colours[1]
    assert int(right[0], 16) < int(right[2], 16) and right[3] == "#fff"
    assert int(wrong[0], 16) > int(wrong[2], 16) and wrong[3] == "#222"


def test_without_estimates_areas_are_shown(facts):
    outline = Outline()
    outline.feed(as_html({**facts, "estimates": None, "area_unit": "pixels"}))
    assert outline.tables[3][0][1] == "Whole map (pixels)"


def test_json_and_csv_hold_names_unescaped(facts):
    assert NASTY.replace('"', '\\"') in as_json(facts)
    assert as_csv(facts).splitlines()[0].endswith("80 Water,sum")


def test_no_interval_of_zero_width_is_shown():
    nothing = {"estimate": 0.0, "standard_error": 0.0, "low": 0.0, "high": 0.0}
    assert _share(nothing) == "0.0 %" and _interval(nothing, "m2", 2) == (DASH, DASH)
    assert _share({"estimate": 0.5, "standard_error": 0.1}) == "50.0 ± 19.6 %"


def test_areas_of_a_table_have_as_many_decimals():
    assert _decimals([5e3, 2e7], "m2") == 0 and _decimals([5e3, 2e5], "m2") == 2 and _decimals([3], "pixels") == 0
    assert [_area(area, "m2", 2) for area in (5e3, 2e5)] == ["0.50", "20.00"]
