"""Estimate areas of change from reference samples, with the transitions of the map as strata.

Olofsson et al. 2014 (Remote Sensing of Environment 148, 42-57), equations 9 to 11; the loss or gain of a class is a
union of transitions, whose area has the same estimator with the units counted that are any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.accuracy.areas import PixelAreas
from backend.accuracy.class_raster import ClassRaster
from backend.accuracy.class_values import field_values, integer_label
from backend.accuracy.compare import Comparison, check_bounds
from backend.accuracy.figures import build_facts
from backend.accuracy.labels import feature_labels
from backend.accuracy.reference_vector import VectorReference
from backend.accuracy.stratified import MIN_UNITS, Z95
from backend.change.transitions import ARROW, BEYOND, Transitions
from backend.core.errors import InputError
from backend.raster.geojson import Feature, read_features
from backend.raster.grid import Grid

Pair = tuple[int, int]


@dataclass(frozen=True)
class SampleFields:
    """Hold which fields of the samples have the true classes.

    Attributes:
        transition: Holds the transition, by number or name; used if the others are not given.
        before: Holds the class before, by value or name.
        after: Holds the class after.
    """

    transition: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass
class ReferenceSamples:
    """Hold reference samples: places, and the number of the true transition of each.

    Attributes:
        features: Points and polygons in the map's CRS.
        labels: Number of the transition; numbers from BEYOND on for those that the map doesn't have.
        pairs: Pair of classes of each number.
        left_out: Number of features not used, by reason.
    """

    features: list[Feature]
    labels: list[int]
    pairs: dict[int, Pair]
    left_out: dict[str, int] = field(default_factory=dict)


def read_reference_samples(path: str, grid: Grid, fields: SampleFields, transitions: Transitions) -> ReferenceSamples:
    """Read reference samples of change.

    Raises:
        InputError: A field is missing, or no feature has a known transition.
    """
    if bool(fields.before) != bool(fields.after):
        raise InputError(
            "One field is named for the classes of the samples; two are wanted, before and after.",
            "Name both (--before-field, --after-field), or the field of the transition (--field).",
        )
    features, without = read_features(path, grid.crs)
    if fields.before and fields.after:
        sides = [_classes(features, name, transitions) for name in (fields.before, fields.after)]
        pairs = [(b, a) if b is not None and a is not None else None for b, a in zip(*sides)]
    else:
        pairs = _transition_pairs(field_values(features, fields.transition), transitions)
    codes = dict(transitions.codes)
    for pair in filter(None, pairs):
        codes.setdefault(pair, BEYOND + len(codes))
    kept = [(feature, codes[pair]) for feature, pair in zip(features, pairs) if pair is not None]
    if not kept:
        known = ", ".join(transitions.class_name(value) for value in transitions.classes)
        raise InputError(
            f"No feature of {path} has a transition between classes of the maps: {known}.",
            f'Give the classes before and after in two fields, or names such as "{_example(transitions)}".',
        )
    boxes = [feature.bounds() for feature, _ in kept]
    low, high = ([pick(box[i + 2 * (pick is max)] for box in boxes) for i in (0, 1)] for pick in (min, max))
    check_bounds(grid.bounds(), (low[0], low[1], high[0], high[1]), path)
    left = {"samples without a geometry": without, "samples without a known transition": pairs.count(None)}
    return ReferenceSamples(
        [feature for feature, _ in kept],
        [code for _, code in kept],
        {code: pair for pair, code in codes.items()},
        {what: count for what, count in left.items() if count},
    )


def _example(transitions: Transitions) -> str:
    changes = [pair for pair in transitions.codes if pair[0] != pair[1]] or list(transitions.codes)
    return transitions.name(changes[0]) if changes else f"Forest {ARROW} Water"


def _classes(features: Sequence[Feature], name: str, transitions: Transitions) -> list[int | None]:
    labels, _ = feature_labels(field_values(features, name), {}, transitions.names)
    return [label if label in transitions.classes else None for label in labels]


def _transition_pairs(values: Sequence[Any], transitions: Transitions) -> list[Pair | None]:
    by_code = {code: pair for pair, code in transitions.codes.items()}
    classes = {transitions.class_name(value).casefold(): value for value in transitions.classes}
    by_name = {
        _plain(transitions.name((before, after))): (before, after)
        for before in classes.values()
        for after in classes.values()
    }
    found: list[Pair | None] = []
    for value in values:
        number = integer_label(value) if isinstance(value, (str, int, float)) else None
        found.append(by_code.get(number) if number is not None else by_name.get(_plain(str(value or ""))))
    return found


def _plain(text: str) -> str:
    """Return a name of a transition for comparison: arrows may be written ->."""
    return " ".join(text.replace("->", ARROW).replace(ARROW, f" {ARROW} ").casefold().split())


def estimate_change(
    raster: Path, samples: ReferenceSamples, transitions: Transitions, advance: Callable[[int], None]
) -> tuple[dict[str, Any] | None, list[str], dict[str, int]]:
    """Estimate areas of transitions, and of the loss and gain of each class.

    Args:
        raster: Finished map of transitions.
        samples: Places whose transition is known.
        transitions: Transitions of the map.
        advance: Called with the number of rows done.

    Returns:
        Estimates (None if there are too few samples), remarks, and what was left out.
    """
    with ClassRaster(str(raster)) as codes:
        areas = PixelAreas(codes.grid)
        comparison = VectorReference(samples.features, samples.labels).compare(codes, areas, advance)
    comparison.left_out = {
        what: count for what, count in comparison.left_out.items() if what.startswith(("points", "polygons"))
    }
    left = {**samples.left_out, **comparison.left_out}
    if not comparison.units:
        return None, ["No estimates: no sample lies where the maps have a class."], left
    names = {code: transitions.name(pair) for code, pair in samples.pairs.items()}
    facts = build_facts(comparison, areas.known, names)
    if facts["estimates"] is None:
        return None, facts["notes"], left
    return _estimates(facts, comparison, samples.pairs, transitions), facts["notes"], left


def _estimates(
    facts: Mapping[str, Any], comparison: Comparison, pairs: Mapping[int, Pair], transitions: Transitions
) -> dict[str, Any]:
    found = facts["estimates"]
    rows = [
        {"code": item["value"], "name": item["name"], "units": sum(row), **each}
        for item, each, row in zip(facts["classes"], found["classes"], found["matrix"])
    ]
    groups: list[dict[str, Any]] = [
        _group("All change", comparison, pairs, lambda pair: pair[0] != pair[1]),
    ]
    for value in transitions.classes:
        name = transitions.class_name(value)
        groups += [
            _group(f"{name}: lost", comparison, pairs, lambda pair, v=value: pair[0] == v != pair[1]),
            _group(f"{name}: gained", comparison, pairs, lambda pair, v=value: pair[0] != v == pair[1]),
        ]
    return {
        "unit": found["unit"],
        "units": found["units"],
        "overall_accuracy": found["overall_accuracy"],
        "transitions": rows,
        "matrix": found["matrix"],
        "groups": [group for group in groups if group["mapped"] or group["estimate"]],
    }


def _group(
    name: str, comparison: Comparison, pairs: Mapping[int, Pair], belongs: Callable[..., bool]
) -> dict[str, Any]:
    """Estimate the area of a union of transitions; areas are in the unit of the mapped ones."""
    units: dict[int, list[bool]] = {}
    for stratum, label in comparison.units:
        units.setdefault(stratum, []).append(belongs(pairs[label]))
    strata = {code: hits for code, hits in units.items() if len(hits) >= MIN_UNITS and comparison.mapped.get(code)}
    area, variance = 0.0, 0.0
    for code, hits in strata.items():
        share, mapped = sum(hits) / len(hits), comparison.mapped[code]
        area += mapped * share
        variance += mapped**2 * share * (1 - share) / (len(hits) - 1)
    error = variance**0.5
    return {
        "name": name,
        "mapped": sum(size for code, size in comparison.mapped.items() if belongs(pairs[code])),
        "units": sum(sum(hits) for hits in units.values()),
        "estimate": area,
        "standard_error": error,
        "low": max(0.0, area - Z95 * error),
        "high": area + Z95 * error,
    }
