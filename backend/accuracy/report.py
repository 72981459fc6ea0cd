"""Format an accuracy report as one self-contained HTML page, as JSON, and its matrix as CSV.

Texts from files or users are escaped. The page has tables and inline colours only, no script and no external files,
so that old web views and Qt's text browser show it too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from backend.accuracy.areas import SQUARE_METRES_PER_HECTARE, in_unit
from backend.accuracy.html_parts import DASH, listed, page, table

# Colours of the matrix, from white to these: correct in blue, wrong in orange, which colour-blind readers can separate.
RIGHT, WRONG = (33, 102, 172), (217, 95, 2)
METHOD = """
<p><b>Matrix.</b> Rows are the map, columns the reference. User's accuracy: of what the map calls a class, how much is
(precision). Producer's accuracy: of what is a class, how much the map finds (recall). F1 is their harmonic mean, IoU
the intersection over the union. Means are over the classes of the reference.</p>
<p><b>Estimates.</b> Stratified estimator with the map's classes as strata and their mapped areas as weights: P.
Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock, M. A. Wulder (2014), Good practices for estimating area
and assessing accuracy of land change, Remote Sensing of Environment 148, 42–57: equations 1 to 3 and 5 to 7 for
accuracies, 9 to 11 for areas. Intervals are 1.96 standard errors to each side, cut at 0 and 100 %. Where all units of a
class are right, or none is, the formula gives an interval of zero width, which says little: none is shown.</p>
"""


def as_csv(facts: Mapping[str, Any]) -> str:
    """Format the matrix of pixels as CSV: a row for each map class, a column for each reference class."""
    names = [_name(item) for item in facts["classes"]]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["map \\ reference", *names, "sum"])
    matrix = facts["pixels"]["matrix"]
    for name, row in zip(names, matrix):
        writer.writerow([name, *row, sum(row)])
    writer.writerow(["sum", *map(sum, zip(*matrix)), sum(map(sum, matrix))])
    return text.getvalue()


def as_html(facts: Mapping[str, Any]) -> str:
    """Format the report as HTML."""
    estimates = facts["estimates"]
    parts = [
        _key_figures(facts),
        "<h2>Classes (pixels)</h2>",
        _classtable(facts),
        "<h2>Confusion matrix (pixels)</h2>",
        _matrix(facts["classes"], facts["pixels"]["matrix"]),
        *(_estimate_parts(facts, estimates) if estimates else ["<h2>Areas</h2>", _areatable(facts)]),
        *listed("Left out", [f"{what}: {count:,}" for what, count in facts["left_out"].items()]),
        *listed("Notes", facts["notes"]),
        "<h2>Method</h2>",
        METHOD,
    ]
    about = [facts["map"], f"compared with {facts['reference']}"]
    return page(f"Accuracy of {PurePath(facts['map']).name}", about, facts, parts)


def _key_figures(facts: Mapping[str, Any]) -> str:
    pixels, estimates = facts["pixels"], facts["estimates"]
    cells = [
        (_percent(pixels["overall_accuracy"]), "overall accuracy (pixels)"),
        (_percent(pixels["mean_iou"]), "mean IoU"),
        (_percent(pixels["mean_f1"]), "mean F1"),
        (f"{pixels['total']:,}", "pixels compared"),
    ]
    if estimates:
        cells.insert(0, (_share(estimates["overall_accuracy"]), "overall accuracy, estimated, with 95 % interval"))
    shown = "".join(f"<td><big>{escape(figure)}</big><br><small>{what}</small></td>" for figure, what in cells)
    return f"<table class='key'><tr>{shown}</tr></table>"


def _classtable(facts: Mapping[str, Any]) -> str:
    rows = [
        [
            _name(item),
            f"{scores['map']:,}",
            f"{scores['reference']:,}",
            *(_percent(scores[key]) for key in ("users_accuracy", "producers_accuracy", "f1", "iou")),
            _where(item),
        ]
        for item, scores in zip(facts["classes"], facts["pixels"]["classes"])
    ]
    heads = ["Class", "Map", "Reference", "User's accuracy", "Producer's accuracy", "F1", "IoU", ""]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return table(heads, rows)


def _where(item: Mapping[str, Any]) -> str:
    if item["on_map"] and item["in_reference"]:
        return ""
    return "only on the map" if item["on_map"] else "only in the reference"


def _areatable(facts: Mapping[str, Any]) -> str:
    unit, keys = facts["area_unit"], ("mapped", "compared_mapped", "compared_reference")
    digits = _decimals((area[key] for area in facts["areas"] for key in keys), unit)
    rows = [
        [_name(item), *(_area(area[key], unit, digits) for key in keys)]
        for item, area in zip(facts["classes"], facts["areas"])
    ]
    name = "ha" if unit == "m2" else "pixels"
    heads = ["Class", f"Whole map ({name})", f"Map, where compared ({name})", f"Reference, where compared ({name})"]
    return table(heads, rows)


def _estimate_parts(facts: Mapping[str, Any], estimates: Mapping[str, Any]) -> Iterable[str]:
    unit = facts["area_unit"]
    name = "ha" if unit == "m2" else "pixels"
    digits = _decimals((found["mapped_area"] for found in estimates["classes"]), unit)
    rows = [
        [
            _name(item),
            _area(found["mapped_area"], unit, digits),
            _area(found["area"]["estimate"], unit, digits),
            *_interval(found["area"], unit, digits),
            _share(found["users_accuracy"]),
            _share(found["producers_accuracy"]),
        ]
        for item, found in zip(facts["classes"], estimates["classes"])
    ]
    heads = [
        "Class",
        f"Mapped ({name})",
        f"Estimated ({name})",
        "95 %",
        f"Interval ({name})",
        "User's accuracy",
        "Producer's accuracy",
    ]
    yield "<h2>Areas and accuracies estimated from the sample, with 95 % confidence intervals</h2>"
    drawn = f", seed {facts['sample']['seed']}" if facts["sample"] else ""
    yield f"<p>{estimates['units']:,} sampling units: {escape(estimates['unit'])}{drawn}.</p>"
    yield table(heads, rows)
    yield "<h2>Sampling units</h2>"
    yield _matrix(facts["classes"], estimates["matrix"])


def _matrix(classes: Sequence[Mapping[str, Any]], matrix: Sequence[Sequence[int]]) -> str:
    """Format counts with their share of the row, which sets the colour."""
    heads = "".join(f"<th>{escape(_name(item))}</th>" for item in classes)
    lines = [f"<tr><th class='name'>Map ↓ &nbsp; Reference →</th>{heads}<th>Sum</th></tr>"]
    for i, (item, row) in enumerate(zip(classes, matrix)):
        cells = "".join(_cell(count, sum(row), i == j) for j, count in enumerate(row))
        lines.append(f"<tr><th class='name'>{escape(_name(item))}</th>{cells}<th>{sum(row):,}</th></tr>")
    sums = "".join(f"<th>{sum(column):,}</th>" for column in zip(*matrix))
    lines.append(f"<tr><th class='name'>Sum</th>{sums}<th>{sum(map(sum, matrix)):,}</th></tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def _cell(count: int, total: int, right: bool) -> str:
    share = count / total if total else 0.0
    red, green, blue = (round(255 + (end - 255) * share) for end in (RIGHT if right else WRONG))
    ink = "#fff" if share > 0.6 and right else "#222"
    style = f"background-color:#{red:02x}{green:02x}{blue:02x};color:{ink}"
    # Not <small>: its grey is hard to read on colour.
    percent = f"<br><span style='font-size:11px'>{100 * share:.1f} %</span>" if count else ""
    return f"<td style='{style}'>{count:,}{percent}</td>"


def _name(item: Mapping[str, Any]) -> str:
    return f"{item['value']} {item['name']}".strip()


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f} %"


def _share(figure: Mapping[str, float] | None) -> str:
    """Format a share with half the width of its interval; alone where the formula gives none."""
    if figure is None:
        return DASH
    half = f" ± {196 * figure['standard_error']:.1f}" if figure["standard_error"] else ""
    return f"{100 * figure['estimate']:.1f}{half} %"


def _decimals(areas: Iterable[float], unit: str) -> int:
    """Return the decimals of a table of areas: all its figures have as many."""
    return 2 if unit == "m2" and max(areas, default=0.0) < 100 * SQUARE_METRES_PER_HECTARE else 0


def _interval(area: Mapping[str, float], unit: str, digits: int) -> tuple[str, str]:
    """Format half the width and both ends of an interval; dashes where the formula gives none."""
    if not area["standard_error"]:
        return DASH, DASH
    low, high = (_area(area[end], unit, digits) for end in ("low", "high"))
    return f"± {_area(1.96 * area['standard_error'], unit, digits)}", f"{low} {DASH} {high}"


def _area(area: float, unit: str, digits: int) -> str:
    return f"{in_unit(area, unit):,.{digits}f}"
