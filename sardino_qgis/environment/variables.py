"""Select the environment variables of the backend's process: those of QGIS without its own libraries' settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# QGIS, or the shell that started it, sets these for its own Python, GDAL, PROJ and Qt. Another interpreter that
# inherits them loads the wrong standard library, data files or shared libraries.
# All of PYTHON* is dropped: PYTHONHOME, PYTHONPATH, but also PYTHONSAFEPATH, under which `-m backend` isn't found.
_DROPPED_PREFIXES = ("PYTHON", "GDAL_", "PROJ_", "QGIS_", "DYLD_")
_DROPPED = frozenset({"VIRTUAL_ENV", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "__PYVENV_LAUNCHER__"})


def _clean_search_path(path: str, qgis_root: str) -> str:
    """Return `PATH` without QGIS's folders: Windows would load their DLLs before those of the backend."""
    inside = os.path.normcase(os.path.abspath(qgis_root))
    kept = (p for p in path.split(os.pathsep) if not os.path.normcase(os.path.abspath(p)).startswith(inside))
    return os.pathsep.join(kept)


def worker_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables for the backend: `base`, or those of QGIS, without its libraries' settings.

    User site-packages stay enabled: a virtual environment ignores them anyway, and a user who chooses a system
    interpreter may have installed PyTorch there.
    """
    source = os.environ if base is None else base
    cleaned = {k: v for k, v in source.items() if k not in _DROPPED and not k.startswith(_DROPPED_PREFIXES)}
    if sys.platform == "win32" and source.get("OSGEO4W_ROOT"):
        cleaned["PATH"] = _clean_search_path(cleaned.get("PATH", ""), source["OSGEO4W_ROOT"])
    # Output must arrive line by line and in UTF-8, in any locale.
    cleaned.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    return cleaned
