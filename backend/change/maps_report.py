"""Format a comparison of two dates as one self-contained HTML page with its pictures inside, and as JSON.

Texts from files or users are escaped; the page has no script and no external files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from backend.accuracy.areas import in_unit
from backend.accuracy.html_parts import DASH, listed, page, table
from backend.accuracy.stratified import Z95
from backend.card.model_card import LandCoverClass

PICTURES = "table.maps td { border: none; text-align: center; vertical-align: top; padding: 4px; }"
METHOD = """
<p><b>Matrix.</b> Rows are the earlier map, columns the later one; the diagonal did not change. Mapped change holds the
errors of both maps: two maps that are right in 90 % of their pixels differ in up to 20 % of them where nothing changed.
Areas for decisions need reference samples.</p>
<p><b>Estimates.</b> Stratified estimator with the mapped transitions as strata: P. Olofsson, G. M. Foody, M. Herold, S.
V. Stehman, C. E. Woodcock, M. A. Wulder (2014), Good practices for estimating area and assessing accuracy of land
change, Remote Sensing of Environment 148, 42–57, equations 9 to 11. Loss and gain of a class are unions of transitions.
Intervals are 1.96 standard errors to each side, cut at 0.</p>
"""


def as_html(facts: Mapping[str, Any], pictures: Sequence[str], legend: Sequence[LandCoverClass]) -> str:
    """Format the report of two class maps.

    Args:
        facts: Figures.
        pictures: Sources of the pictures of the earlier map, the later one, and the transitions.
        legend: Legend of the transitions.
    """
    changed = facts["changed"]
    unit = facts["area_unit"]
    classes = [(item["color"], item["name"]) for item in facts["classes"]]
    changes = [(item.color, item.name) for item in legend]
    parts = [
        f"<p><b>{_area(changed['area'], unit)} {unit_name(unit)}</b> differ between the maps, "
        f"{100 * changed['share']:.1f} % of the {_area(facts['compared']['area'], unit)} {unit_name(unit)} "
        "that both show.</p>",
        side_by_side(["Before", "After", "Change"], pictures),
        "<h2>Classes</h2>",
        colour_key(classes),
        _class_table(facts),
        f"<h2>From row to column ({unit_name(unit)})</h2>",
        _matrix(facts),
        "<h2>Transitions</h2>",
        colour_key(changes),
        *(_estimates(facts, facts["estimates"]) if facts["estimates"] else []),
        *listed("Left out", [f"{what}: {count:,}" for what, count in facts["left_out"].items()]),
        *(listed("Warnings", facts["warnings"]) if facts["warnings"] else ()),
        *listed("Notes", facts["notes"]),
        "<h2>Method</h2>",
        METHOD,
    ]
    title = f"Change from {PurePath(facts['before']).name} to {PurePath(facts['after']).name}"
    return page(title, [facts["before"], facts["after"]], facts, parts, PICTURES)


def side_by_side(titles: Sequence[str], pictures: Sequence[str]) -> str:
    """Return pictures in a row, each below its title."""
    cells = [f"<td>{escape(title)}<br><img src='{source}' alt=''></td>" for title, source in zip(titles, pictures)]
    return f"<table class='maps'><tr>{''.join(cells)}</tr></table>"


def colour_key(entries: Iterable[tuple[str, str]]) -> str:
    """Return colours with their names."""
    shown = [
        f"<span style='background-color:{color};border:1px solid #888'>&nbsp;&nbsp;&nbsp;&nbsp;</span> {escape(name)}"
        for color, name in entries
    ]
    return f"<p>{' &nbsp; '.join(shown)}</p>"


def unit_name(unit: str) -> str:
    """Return the unit of areas for people."""
    return "ha" if unit == "m2" else "pixels"


def _class_table(facts: Mapping[str, Any]) -> str:
    unit = facts["area_unit"]
    rows = [
        [item["name"], *(_area(item[key], unit) for key in ("before", "after", "lost", "gained"))]
        + [f"{in_unit(item['after'] - item['before'], unit):+,.1f}"]
        for item in facts["classes"]
    ]
    name = unit_name(unit)
    return table(["Class", f"Before ({name})", f"After ({name})", "Lost", "Gained", "Net"], rows)


def _matrix(facts: Mapping[str, Any]) -> str:
    unit, names = facts["area_unit"], [item["name"] for item in facts["classes"]]
    areas = facts["matrix"]["areas"]
    rows = [[name, *(_area(a, unit) for a in row), _area(sum(row), unit)] for name, row in zip(names, areas)]
    rows.append(["Sum", *(_area(sum(column), unit) for column in zip(*areas)), _area(sum(map(sum, areas)), unit)])
    return table(["Before ↓   After →", *names, "Sum"], rows)


def _estimates(facts: Mapping[str, Any], found: Mapping[str, Any]) -> Iterable[str]:
    unit = facts["area_unit"]
    name = unit_name(unit)
    yield "<h2>Areas of change estimated from the samples, with 95 % confidence intervals</h2>"
    yield f"<p>{found['units']:,} sampling units: {escape(found['unit'])}.</p>"
    heads = ["", "Units", f"Mapped ({name})", f"Estimated ({name})", "95 %", f"Interval ({name})"]
    yield table(heads, [_estimate_row(group["name"], group["units"], group["mapped"], group, unit)
                        for group in found["groups"]])  # fmt: skip
    yield "<h2>Transitions estimated from the samples</h2>"
    yield table(heads, [_estimate_row(row["name"], row["units"], row["mapped_area"], row["area"], unit)
                        for row in found["transitions"]])  # fmt: skip


def _estimate_row(name: str, units: int, mapped: float, area: Mapping[str, float] | None, unit: str) -> list[str]:
    if area is None:
        return [name, str(units), _area(mapped, unit), DASH, DASH, DASH]
    error = area["standard_error"]
    interval = [f"± {_area(Z95 * error, unit)}", f"{_area(area['low'], unit)} {DASH} {_area(area['high'], unit)}"]
    return [name, str(units), _area(mapped, unit), _area(area["estimate"], unit), *(interval if error else [DASH] * 2)]


def _area(area: float, unit: str) -> str:
    return f"{in_unit(area, unit):,.{1 if unit == 'm2' else 0}f}"
