"""Read the tags of rasters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from backend.raster.opening import open_raster


def tags_of(paths: Sequence[str]) -> dict[str, str]:
    """Return the tags that all of some files have with one value, of the files and of their first bands.

    Raises:
        InputError: One can't be opened.
    """
    with ExitStack() as stack:
        return tags_in([stack.enter_context(open_raster(path)) for path in paths], (1,))


def tags_in(files: Sequence[Any], bands: Sequence[int]) -> dict[str, str]:
    """Return the tags that opened files have with one value; those of a file count before those of its bands."""
    first, *others = [
        {key: text for number in (*reversed(bands), 0) for key, text in file.tags(number).items()} for file in files
    ]
    return {key: text for key, text in first.items() if all(other.get(key) == text for other in others)}
