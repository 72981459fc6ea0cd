"""Which chips of a data folder belong to which split: splits.csv (name, group, split)."""

from __future__ import annotations

import csv
from pathlib import Path

from backend.core.errors import InputError


def read_splits(root: Path) -> list[dict[str, str]]:
    """Rows of splits.csv (name, group, split), with the law checked that a group never crosses splits.

    Raises:
        InputError: The file is missing, lacks a column, or a group crosses splits.
    """
    path = Path(root) / "splits.csv"
    if not path.is_file():
        raise InputError(f"No splits.csv in {root}.", "Write one with the columns name, group, split.")
    with path.open(newline="", encoding="utf-8-sig") as lines:  # Excel begins its UTF-8 with a mark
        rows = list(csv.DictReader(lines))
    if rows and not {"name", "group", "split"} <= set(rows[0]):
        raise InputError(f"{path} has columns {', '.join(rows[0])}.", "Wanted: name, group, split.")
    home: dict[str, str] = {}
    for row in rows:
        if home.setdefault(row["group"], row["split"]) != row["split"]:
            raise InputError(
                f"Group {row['group']!r} of {path} is in splits {home[row['group']]!r} and {row['split']!r}.",
                "Neighbouring chips leak between splits; keep a group in one split.",
            )
    return rows
