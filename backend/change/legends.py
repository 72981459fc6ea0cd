"""Match the legends of two class maps: by name, by value, or by groups where one has WorldCover's merged classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.accuracy.class_values import integer_label
from backend.accuracy.merging import has_merged_legend
from backend.card.worldcover import MERGED, MERGED_NAMES, MERGED_VALUES, NAMES
from backend.core.errors import InputError


@dataclass(frozen=True)
class Side:
    """Hold the classes of one map.

    Attributes:
        path: Path of the map, for messages.
        names: Name by value; empty if the map has none.
        values: Values that occur where both maps have one.
    """

    path: str
    names: Mapping[int, str]
    values: Sequence[int]


@dataclass(frozen=True)
class Match:
    """Hold the common legend of two maps.

    Attributes:
        names: Name of each value of the common legend; values without a name are missing.
        before: Common value of each value of the first map.
        after: Common value of each value of the second map.
        notes: Remarks for the user.
    """

    names: dict[int, str]
    before: dict[int, int]
    after: dict[int, int]
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> list[int]:
        """Return the values of the common legend, ascending: those that occur, and those that have a name."""
        return sorted({*self.names, *self.before.values(), *self.after.values()})


def match_legends(before: Side, after: Side, mapping: Mapping[str, int]) -> Match:
    """Match the classes of two maps.

    If one map has WorldCover's merged classes and the other one WorldCover's own, the other's are merged, as for
    accuracies. Otherwise classes of one name are one class, whatever their values; values without a name are matched
    by value.

    Args:
        before: First map; its values are kept, unless they are merged.
        after: Second map.
        mapping: Value or name (as text) of the second map to value of the first one.

    Raises:
        InputError: A value means different classes in the two maps; or the mapping names a class that isn't there.
    """
    said = _said(mapping, after)
    for coarse, fine in ((before, after), (after, before)):
        if _to_merge(coarse, fine):
            into = {value: MERGED_VALUES[MERGED[value]] for value in fine.values}
            same = {value: value for value in coarse.values}
            first, second = (same, into) if fine is after else (into, same)
            second = {**second, **{value: new for value, new in said.items() if value in second}}
            return Match(dict(MERGED_NAMES), first, second, _merged_notes(fine, into, said))
    second = {value: said[value] if value in said else _matched(value, before, after) for value in after.values}
    names = dict(before.names)
    for value, new in second.items():
        names.setdefault(new, after.names.get(value, ""))
    notes = _unnamed_notes(before, after) + _moved_notes(after, second, said)
    return Match(
        {value: name for value, name in names.items() if name}, {value: value for value in before.values}, second, notes
    )


def _said(mapping: Mapping[str, int], after: Side) -> dict[int, int]:
    """Return the user's mapping by value of the second map."""
    by_name = {name.casefold(): value for value, name in after.names.items()}
    found = {}
    for text, new in mapping.items():
        value = integer_label(text)
        value = by_name.get(text.strip().casefold()) if value is None else value
        if value is None:
            known = ", ".join(after.names.values()) or "none (it has no legend)"
            raise InputError(
                f"The mapping names {text!r}, which {after.path} doesn't. Its names: {known}.",
                'Use values or names of the later map, such as "1=80,Forest=10".',
            )
        found[value] = new
    return found


def _to_merge(coarse: Side, fine: Side) -> bool:
    """Return whether one map has the merged classes, and the other one WorldCover's own."""
    if has_merged_legend(fine.names) or not set(fine.values) <= MERGED.keys():
        return False
    as_worldcover = all(NAMES.get(v, "").casefold() == n.casefold() for v, n in fine.names.items() if v in fine.values)
    if not as_worldcover:
        return False
    if has_merged_legend(coarse.names):
        return True
    # A map without names counts as merged only if the other one says that it is WorldCover's.
    return not coarse.names and bool(fine.names) and set(coarse.values) <= MERGED_NAMES.keys()


def _matched(value: int, before: Side, after: Side) -> int:
    name, other = after.names.get(value, ""), before.names.get(value, "")
    if not name or not before.names or name.casefold() == other.casefold():
        return value
    known = {text.casefold(): number for number, text in before.names.items()}
    if name.casefold() in known:
        return known[name.casefold()]
    if not other and value not in before.values:
        return value
    raise InputError(
        f"The value {value} is {other or 'a class without a name'!r} in {before.path}, and {name!r} in {after.path}, "
        "which has no class of that name.",
        f"Say what it is in the earlier map: {value}={value} if it is the same class, else its value there "
        f'(--remap "{value}=…", in QGIS Classes of the later map).',
    )


def _merged_notes(fine: Side, into: Mapping[int, int], said: Mapping[int, int]) -> list[str]:
    moved = [f"{old} {NAMES[old]} into {new} {MERGED_NAMES[new]}" for old, new in into.items() if old != new]
    if not moved:
        return []
    return [
        f"The other map has classes that are unions of those of ESA WorldCover, so values of {fine.path} were merged: "
        f"{'; '.join(moved)}." + (" Values that were mapped stay as mapped." if said else "")
    ]


def _unnamed_notes(before: Side, after: Side) -> list[str]:
    without = [side.path for side in (before, after) if not side.names]
    if not without:
        return []
    if len(without) > 1:
        return ["Neither map has class names: classes were matched by value."]
    return [f"No class names are with {without[0]}: classes were matched by value."]


def _moved_notes(after: Side, second: Mapping[int, int], said: Mapping[int, int]) -> list[str]:
    moved = [
        f"{old} {after.names.get(old, '')} taken as {new}"
        for old, new in second.items()
        if old != new and old not in said
    ]
    return [f"Classes of {after.path} were matched by name: {'; '.join(moved)}."] if moved else []
