"""Merge WorldCover's values in a reference where the map has four classes, each a union of WorldCover's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.accuracy.class_values import integer_label
from backend.accuracy.compare import Comparison
from backend.card.worldcover import MERGED, MERGED_NAMES, MERGED_VALUES, NAMES, UNKNOWN

LISTED = 12


@dataclass(frozen=True)
class Merging:
    """Map reference values to the class that they count as.

    Attributes:
        into: Class by reference value; only values that occur in the reference and change.
        names: Names of the classes of the map, where it has none itself.
        notes: Remarks for the user.
    """

    into: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def facts(self) -> list[dict[str, object]]:
        """Return the classes that values were merged into, as plain types: value, name and what is merged in it."""
        return [
            {
                "value": value,
                "name": MERGED_NAMES[value],
                "from": [{"value": old, "name": NAMES[old]} for old, new in self.into.items() if new == value],
            }
            for value in sorted(set(self.into.values()))
        ]


def has_merged_legend(names: Mapping[int, str]) -> bool:
    """Return whether a map has the merged classes by their names: no others, and one that WorldCover doesn't have."""
    merged = all(MERGED_NAMES.get(value, "").casefold() == name.casefold() for value, name in names.items())
    return merged and any(NAMES[value] != MERGED_NAMES[value] for value in names)


def values_by_name(names: Mapping[int, str]) -> dict[str, int]:
    """Return the value of each class name, case-folded; WorldCover's names too if the map has the merged legend."""
    known = {name.casefold(): value for value, name in NAMES.items()} if has_merged_legend(names) else {}
    return {**known, **{name.casefold(): value for value, name in names.items()}}


def merge(comparison: Comparison, names: Mapping[int, str], mapping: Mapping[str, int]) -> Merging:
    """Merge the reference values of a comparison if the map has the merged legend and the reference WorldCover's.

    A map without class names has the merged legend if it has no values but those of the legend. Values that the user
    maps stay as they were mapped.

    Args:
        comparison: Counts, which are changed.
        names: Class names of the map; empty if it has none.
        mapping: The user's mapping: reference value or name (as text) to map value.
    """
    mapped, found = set(comparison.tally.mapped), comparison.tally.reference_values()
    named = has_merged_legend(names)
    if not named and (names or not mapped <= MERGED_NAMES.keys()):
        return Merging()
    wanted = {value: MERGED_VALUES[MERGED[value]] for value in found if value in MERGED}
    kept = set(mapping.values())
    into = {old: new for old, new in wanted.items() if old != new and old not in kept}
    if not into:
        return Merging()
    sources = {number for number in map(integer_label, mapping) if number is not None}
    foreign = sorted((({*found} - kept) | sources) - MERGED.keys() - {UNKNOWN})
    if foreign:
        return Merging(notes=[_not_merged(foreign)] if named else [])
    comparison.relabel(into)
    return Merging(into, {} if named else MERGED_NAMES, [_merged(into, "" if named else _taken_for(mapped))])


def _taken_for(mapped: set[int]) -> str:
    return (
        f"The map has no class names. All its values ({_listed(sorted(mapped))}) are in the legend of four merged "
        "classes (10, 30, 50, 80), so it was taken for a map of these. "
    )


def _merged(into: Mapping[int, int], begin: str) -> str:
    parts = [
        ", ".join(f"{old} {NAMES[old]}" for old in into if into[old] == new) + f" into {new} {MERGED_NAMES[new]}"
        for new in sorted(set(into.values()))
    ]
    return (
        f"{begin}The classes of the map are unions of those of ESA WorldCover, so values of the reference were merged: "
        f'{"; ".join(parts)}. To keep a value apart, map it to itself, such as "{next(iter(into))}={next(iter(into))}".'
    )


def _not_merged(foreign: Sequence[int]) -> str:
    return (
        "The classes of the map are unions of those of ESA WorldCover, but the reference has other values "
        f"({_listed(foreign)}), so none were merged. Map its values to those of the map, such as "
        '"20=30,40=30".'
    )


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values[:LISTED])) + (", …" if len(values) > LISTED else "")
