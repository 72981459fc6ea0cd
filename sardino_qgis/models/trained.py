"""Choose the folder of a model that is trained on the user's own samples."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..environment import locate

LONGEST = 60  # characters of a name
OTHERWISE = "own-classes"


def models_folder() -> Path:
    """Return the folder in the QGIS profile that own models are written into, each into a folder of its own."""
    return locate.managed_folder().parent / "models"


def chosen_folder(wanted: str, name: str) -> str:
    """Return the folder to write a model into.

    Args:
        wanted: Folder that the user gave. The profile's models folder stands for a new one in it.
        name: What a new folder is named after; characters that a file system may refuse become spaces.
    """
    folder = models_folder()
    if os.path.normcase(os.path.abspath(wanted)) != os.path.normcase(str(folder)):
        return wanted
    folder.mkdir(parents=True, exist_ok=True)
    words = re.sub(r"[^\w.-]+", " ", name, flags=re.UNICODE).strip(" .-_")[:LONGEST].strip(" .-_") or OTHERWISE
    path, number = folder / words, 2
    while os.path.lexists(path):
        path, number = folder / f"{words} {number}", number + 1
    return str(path)
