"""Find the files of a folder that show one place at several dates on the same pixel grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.core.errors import InputError
from training.data.file_entry import FileEntry
from training.data.pattern import first_groups
from training.data.scenes import SceneFiles
from training.data.splits import read_rows


def name_places(root: Path, names: Sequence[str], pattern: str) -> dict[str, str]:
    """Return the place of each file that has one.

    Args:
        root: Data folder, which may have a places.csv (name, place).
        names: Files, as paths under the folder without suffix.
        pattern: Regular expression with one group, the place; searched for in the last part of the name, then in
            the whole name. Empty for none.

    Raises:
        InputError: Both are given, places.csv lacks a column, or no file has a place; or as `first_groups`.
    """
    table = root / "places.csv"
    if not table.is_file() and not pattern:
        return {}
    if table.is_file() and pattern:
        raise InputError(f"{root} has places in dataset.toml and in places.csv.", "Remove one of them.")
    places = _from_table(table, names) if table.is_file() else _from_pattern(names, pattern)
    if names and not places:
        source = str(table) if table.is_file() else f"The pattern {pattern!r}"
        raise InputError(f"{source} doesn't match {names[0]!r} or any other file of {root}.", "Correct it.")
    return places


def _from_table(table: Path, names: Sequence[str]) -> dict[str, str]:
    known = set(names)
    return {
        row["name"]: row["place"]
        for row in read_rows(table, ("name", "place"))
        if row["name"] in known and row["place"]
    }


def _from_pattern(names: Sequence[str], pattern: str) -> dict[str, str]:
    return {name: place for name, place in zip(names, first_groups(pattern, names)) if place}


def check_places(files: Mapping[str, SceneFiles], entries: Sequence[FileEntry], places: Mapping[str, str]) -> None:
    """Refuse files of one place that are on different pixel grids.

    Raises:
        InputError: Two files differ in size, or in CRS or transform if both have one.
    """
    first: dict[str, FileEntry] = {}
    for entry in entries:
        if entry.name not in places:
            continue
        place = places[entry.name]
        other = first.setdefault(place, entry)
        both = f"{files[other.name]} and {files[entry.name]} show the place {place!r}"
        sizes = (other.width, other.height), (entry.width, entry.height)
        if sizes[0] != sizes[1]:
            found = " and ".join("{} x {}".format(*size) for size in sizes)
            raise InputError(f"{both}, but have {found} pixels.", "Warp them to one grid, or give them no place.")
        if other.grid and entry.grid and other.grid != entry.grid:
            raise InputError(f"{both}, but are on different grids.", "Warp them to one grid.")
