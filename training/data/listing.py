"""List the rasters of a folder and its sub-folders by name."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from backend.core.errors import InputError

SUFFIXES = (".tif", ".tiff", ".png", ".vrt", ".jp2", ".img")


def list_rasters(folder: Path, skip: Collection[Path] = ()) -> dict[str, Path]:
    """List rasters by name: the path under `folder` without suffix, with "/" between sub-folders.

    Links to folders are followed. Hidden files and folders are left out.

    Args:
        folder: The folder; if it doesn't exist, the list is empty.
        skip: Folders to leave out.

    Raises:
        InputError: Two files differ in their suffix only.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # a link to a folder above would recurse without end
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and Path(here, f) not in skip)
        for file in sorted(files):
            path = Path(here, file)
            if path.suffix.lower() not in SUFFIXES or file.startswith("."):
                continue
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                raise InputError(f"{found[name]} and {path} have one name.", "Rename or remove one of them.")
            found[name] = path
    return found
