"""Describe a raster of a data folder by the facts that a scan finds, and write and read them as text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

# Rasters with more values than this are never read whole; evenly spaced pixels are read instead.
WHOLE_VALUES = 2**24


@dataclass(frozen=True)
class FileEntry:
    """Hold the facts about a file.

    Attributes:
        name: Path in the folder without suffix.
        size: Size of the file in bytes; a change of it or of `modified` means a new scan.
        modified: Time of the last change in nanoseconds.
        height: Height in pixels.
        width: Width in pixels.
        dtype: Dtype of the first band used.
        numbers: Band number (from 1) of each of the card's bands; 0 if the file lacks it.
        pixel_m: Pixel size in metres; 0 if unknown.
        grid: CRS and transform as text; empty if unknown.
        strips: Whether it is a large file stored in strips, from which reading windows is slow.
        units: Unit of the backscatter, recognised or declared; "auto" if too few pixels are valid.
        pixels: Number of valid pixels; estimated for large files.
        coverage: Text of `Coverage.pack`.
        levels: Mean and standard deviation of each of the card's bands, 0 if it is missing.
        filling: Position among the card's bands, and value (scaled by dataset.toml), of filling that is no data.
    """

    name: str
    size: int
    modified: int
    height: int
    width: int
    dtype: str
    numbers: tuple[int, ...]
    pixel_m: float
    grid: str
    strips: bool
    units: str
    pixels: int
    coverage: str
    levels: tuple[tuple[float, float], ...]
    filling: tuple[tuple[int, float], ...] = ()

    @property
    def large(self) -> bool:
        """Return whether the file is only read by windows."""
        return self.height * self.width * sum(map(bool, self.numbers)) > WHOLE_VALUES


def text_of(entry: FileEntry) -> str:
    """Return an entry as a line of JSON."""
    return json.dumps(asdict(entry))


def entry_of(row: dict[str, Any]) -> FileEntry:
    """Return the entry that `text_of` wrote, from its parsed JSON.

    Raises:
        KeyError, TypeError, ValueError: It is no such text.
    """
    levels = tuple((float(mean), float(spread)) for mean, spread in row["levels"])
    filling = tuple((int(place), float(value)) for place, value in row["filling"])
    return FileEntry(**{**row, "numbers": tuple(row["numbers"]), "levels": levels, "filling": filling})
