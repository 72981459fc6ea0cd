"""Read splits.csv (name, group, split) of a data folder."""

from __future__ import annotations

import csv
from pathlib import Path

from backend.core.errors import InputError


def read_splits(root: Path) -> list[dict[str, str]]:
    """Return the rows of splits.csv; each group must be in one split.

    Raises:
        InputError: The file is missing or lacks a column, or a group is in two splits.
    """
    path = Path(root) / "splits.csv"
    if not path.is_file():
        raise InputError(f"No splits.csv in {root}.", "Write it with the columns name, group, split.")
    with path.open(newline="", encoding="utf-8-sig") as lines:  # Excel writes a byte order mark
        rows = list(csv.DictReader(lines))
    if rows and not {"name", "group", "split"} <= set(rows[0]):
        raise InputError(f"{path} has columns {', '.join(rows[0])}.", "Name them name, group, split.")
    home: dict[str, str] = {}
    for row in rows:
        if home.setdefault(row["group"], row["split"]) != row["split"]:
            raise InputError(
                f"Group {row['group']!r} of {path} is in splits {home[row['group']]!r} and {row['split']!r}.",
                "Put each group in one split: neighbouring chips in two splits would leak.",
            )
    return rows
