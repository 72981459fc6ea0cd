"""Compute the figures of a comparison from the counted pairs, as plain types, and format the matrix as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.accuracy.areas import in_unit
from backend.change.legends import Match
from backend.change.pair_counts import PairCounts
from backend.change.transitions import Transitions
from backend.core.arrays import DoubleArray, IntArray


def common_matrices(counts: PairCounts, match: Match, classes: list[int]) -> tuple[IntArray, DoubleArray]:
    """Return pixels and areas, [class before, class after], by the common legend."""
    pixels, areas = np.zeros((len(classes),) * 2, np.int64), np.zeros((len(classes),) * 2)
    raw_pixels, raw_areas = counts.matrices()
    place = {value: index for index, value in enumerate(classes)}
    for row, before in enumerate(counts.before):
        for column, after in enumerate(counts.after):
            cell = place[match.before[before]], place[match.after[after]]
            pixels[cell] += raw_pixels[row, column]
            areas[cell] += raw_areas[row, column]
    return pixels, areas


def change_facts(
    pixels: IntArray, areas: DoubleArray, transitions: Transitions, colours: Mapping[int, str], areas_known: bool
) -> dict[str, Any]:
    """Return classes, matrix, transitions and totals.

    Args:
        pixels: Pixels by `common_matrices`, classes as in `transitions`.
        areas: Areas by `common_matrices`.
        transitions: Names and numbers.
        colours: Colours of the classes.
        areas_known: Whether areas are in square metres; if not, in pixels.
    """
    classes = list(transitions.classes)
    total, kept = float(areas.sum()), float(np.trace(areas))
    place = {value: index for index, value in enumerate(classes)}
    return {
        "area_unit": "m2" if areas_known else "pixels",
        "classes": [
            {
                "value": value,
                "name": transitions.class_name(value),
                "color": colours[value],
                "before": float(areas[i].sum()),
                "after": float(areas[:, i].sum()),
                "lost": float(areas[i].sum() - areas[i, i]),
                "gained": float(areas[:, i].sum() - areas[i, i]),
            }
            for i, value in enumerate(classes)
        ],
        "matrix": {"rows": "before", "columns": "after", "pixels": pixels.tolist(), "areas": areas.tolist()},
        "transitions": [
            {
                "code": transitions.codes[pair],
                "before": pair[0],
                "after": pair[1],
                "name": transitions.name(pair),
                "pixels": int(pixels[place[pair[0]], place[pair[1]]]),
                "area": float(areas[place[pair[0]], place[pair[1]]]),
            }
            for pair in sorted(transitions.found, key=lambda pair: transitions.codes[pair])
        ],
        "compared": {"pixels": int(pixels.sum()), "area": total},
        "changed": {
            "pixels": int(pixels.sum() - np.trace(pixels)),
            "area": total - kept,
            "share": (total - kept) / total if total else 0.0,
        },
    }


def as_csv(facts: Mapping[str, Any]) -> str:
    """Format the matrix of areas as CSV: a row for each class before, a column for each class after."""
    unit = "ha" if facts["area_unit"] == "m2" else "pixels"
    names = [item["name"] for item in facts["classes"]]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([f"before \\ after ({unit})", *names, "sum"])
    matrix = [[in_unit(area, facts["area_unit"]) for area in row] for row in facts["matrix"]["areas"]]
    for name, row in zip(names, matrix):
        writer.writerow([name, *(f"{area:.10g}" for area in row), f"{sum(row):.10g}"])
    sums = [sum(column) for column in zip(*matrix)]
    writer.writerow(["sum", *(f"{area:.10g}" for area in sums), f"{sum(sums):.10g}"])
    return text.getvalue()
