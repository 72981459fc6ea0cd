"""Compute every figure of an accuracy report, as plain types, from the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.accuracy.compare import Comparison
from backend.accuracy.scores import none_if_nan, scores
from backend.accuracy.stratified import MIN_UNITS, Estimate, estimate, interval
from backend.core.arrays import DoubleArray
from backend.core.errors import InputError

CENSUS = (
    "The reference is a raster: every pixel that both have is compared. That is a census, not a sample, and "
    "neighbouring pixels are not independent, so there are no confidence intervals. Set a sample size to draw a "
    "stratified random sample from it, with estimates and intervals."
)
DRAWN = (
    "The sample was drawn where map and reference both have a value: its estimates hold for that part of the map, and "
    "are only as good as the reference raster itself."
)
GIVEN = (
    "The estimates hold for the whole map if the points and polygons are a random sample within each map class "
    "(stratified), or over the whole map. Places that were chosen because they are easy to classify, or that the map "
    "was trained with, make every figure look better than it is."
)
POLYGONS = (
    "In the estimates a polygon is one sampling unit, with the map class of most of its pixels, since pixels of one "
    "polygon are not independent. In the matrix of pixels all its pixels count."
)


def build_facts(comparison: Comparison, areas_known: bool, names: Mapping[int, str]) -> dict[str, Any]:
    """Compute classes, matrix and scores of pixels, areas, and estimates from the sampling units.

    Args:
        comparison: Counts, of at least one pair of pixels.
        areas_known: Whether areas are in square metres; if not, in pixels.
        names: Names of class values.

    Returns:
        "classes", "pixels", "areas", "estimates" (None without sampling units) and "notes".
    """
    tally = comparison.tally
    in_reference = tally.reference_values()
    values = sorted({*tally.mapped, *in_reference, *(label for _, label in comparison.units)})
    counts, compared = tally.matrices(values)
    notes = _one_sided(values, tally.mapped, in_reference, names)
    estimates = None
    if not comparison.unit:
        notes.append(CENSUS)
    else:
        notes += [GIVEN if "drawn" not in comparison.unit else DRAWN]
        notes += [POLYGONS] if "polygon" in comparison.unit else []
        estimates = _estimates(comparison, values, names, notes)
    return {
        "area_unit": "m2" if areas_known else "pixels",
        "classes": [
            {
                "value": value,
                "name": names.get(value, ""),
                "on_map": value in tally.mapped,
                "in_reference": value in in_reference,
            }
            for value in values
        ],
        "pixels": {"rows": "map", "columns": "reference", "matrix": counts.T.tolist(), **scores(counts)},
        "areas": _areas(tally.mapped, values, compared),
        "estimates": estimates,
        "notes": notes,
    }


def label(value: int, names: Mapping[int, str]) -> str:
    """Format a class for reading."""
    return f"{value} {names[value]}" if names.get(value) else str(value)


def _one_sided(
    values: Sequence[int], mapped: Mapping[int, Any], in_reference: Sequence[int], names: Mapping[int, str]
) -> list[str]:
    only_map = ", ".join(label(v, names) for v in values if v not in in_reference)
    only_reference = ", ".join(label(v, names) for v in values if v not in mapped)
    notes = []
    if only_map:
        notes.append(f"Only on the map, not in the reference where it was compared: {only_map}.")
    if only_reference:
        notes.append(f"Only in the reference, not on the map: {only_reference}.")
    return notes


def _areas(
    mapped: Mapping[int, tuple[int, float]], values: Sequence[int], compared: DoubleArray
) -> list[dict[str, float]]:
    return [
        {
            "mapped": mapped.get(value, (0, 0.0))[1],
            "mapped_pixels": mapped.get(value, (0, 0.0))[0],
            "compared_mapped": float(compared[:, i].sum()),
            "compared_reference": float(compared[i].sum()),
        }
        for i, value in enumerate(values)
    ]


def _estimates(
    comparison: Comparison, values: Sequence[int], names: Mapping[int, str], notes: list[str]
) -> dict[str, Any] | None:
    place = {value: index for index, value in enumerate(values)}
    matrix = np.zeros((len(values), len(values)), np.int64)
    for row, column in comparison.units:
        matrix[place[row], place[column]] += 1
    mapped = np.array([comparison.mapped.get(value, 0.0) for value in values])
    try:
        found = estimate(matrix, mapped)
    except InputError as error:
        notes.append(f"No estimates: {error.message}")
        return None
    missing = [i for i in range(len(values)) if mapped[i] > 0 and not found.strata[i]]
    if missing:
        share = 1 - found.total / mapped.sum()
        listed = ", ".join(f"{label(values[i], names)} ({int(matrix[i].sum())})" for i in missing)
        notes.append(
            f"Map classes with fewer than {MIN_UNITS} sampling units are left out of the estimates: {listed}; "
            f"these are {100 * share:.3g} % of the map's area."
        )
    return {
        "unit": comparison.unit,
        "units": int(matrix.sum()),
        "rows": "map",
        "columns": "reference",
        "matrix": matrix.tolist(),
        "area": found.total,
        "overall_accuracy": _figure(found.overall, share=True),
        "classes": [_class(found, mapped, i) for i in range(len(values))],
        "proportions": found.proportions.tolist(),
    }


def _class(found: Estimate, mapped: DoubleArray, index: int) -> dict[str, Any]:
    return {
        "stratum": bool(found.strata[index]),
        "mapped_area": float(mapped[index]),
        "weight": float(found.weights[index]),
        "users_accuracy": _figure(found.users[index], share=True),
        "producers_accuracy": _figure(found.producers[index], share=True),
        "area": _figure(found.areas[index]),
    }


def _figure(pair: tuple[float, float] | DoubleArray, share: bool = False) -> dict[str, float] | None:
    """Return estimate, standard error and 95 % confidence interval, clipped to the valid range; None for NaN."""
    if none_if_nan(float(pair[0])) is None:
        return None
    low, high = interval(pair)
    return {
        "estimate": float(pair[0]),
        "standard_error": float(pair[1]),
        "low": max(0.0, low),
        "high": min(1.0, high) if share else high,
    }
