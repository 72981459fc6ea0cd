"""Read splits.csv (name, group, split) of a data folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from backend.core.errors import InputError
from backend.core.regular_file import read_regular_text

MOST_BYTES = 256 * 2**20


def read_splits(root: Path) -> list[dict[str, str]]:
    """Return the rows of splits.csv; each group must be in one split.

    Raises:
        InputError: The file is missing or lacks a column, or a group is in two splits.
    """
    path = Path(root) / "splits.csv"
    if not path.is_file():
        raise InputError(f"No splits.csv in {root}.", "Write it with the columns name, group, split.")
    rows = read_rows(path, ("name", "group", "split"))
    home: dict[str, str] = {}
    for row in rows:
        if home.setdefault(row["group"], row["split"]) != row["split"]:
            raise InputError(
                f"Group {row['group']!r} of {path} is in splits {home[row['group']]!r} and {row['split']!r}.",
                "Put each group in one split: neighbouring chips in two splits would leak.",
            )
    return rows


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header.

    Raises:
        InputError: It can't be read, is no text in UTF-8, or lacks one of the columns.
    """
    try:
        # Excel begins its UTF-8 with a mark.
        rows = list(csv.DictReader(io.StringIO(read_regular_text(path, MOST_BYTES), newline="")))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Check the file.") from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} is no CSV in UTF-8 ({error}).", "Save it again as CSV, encoded in UTF-8.") from error
    if rows and not set(columns) <= set(rows[0]):
        found = ", ".join(str(name) for name in rows[0])
        raise InputError(f"{path} has columns {found}.", f"Wanted: {', '.join(columns)}.")
    return [{name: row[name] or "" for name in columns} for row in rows]
