"""Read what an archive wrote."""

from __future__ import annotations

import csv
from pathlib import Path

# Its schema is not among those in tests/support/stac.
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"


def rows_of(out: Path) -> list[dict[str, str]]:
    """Return the lines of an archive's manifest."""
    with (out / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))
