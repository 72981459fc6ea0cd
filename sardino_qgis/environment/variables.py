"""Give the backend's process an environment without the settings of QGIS's own libraries."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# What QGIS (or the shell that started it) sets for its own Python, GDAL, PROJ and Qt. Another interpreter that
# inherits it loads the wrong standard library, the wrong data files or the wrong shared libraries.
# All of PYTHON* goes: PYTHONHOME, PYTHONPATH, but also PYTHONSAFEPATH, under which `-m backend` isn't found.
_DROPPED_PREFIXES = ("PYTHON", "GDAL_", "PROJ_", "QGIS_", "DYLD_")
_DROPPED = frozenset({"VIRTUAL_ENV", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "__PYVENV_LAUNCHER__"})


def _clean_search_path(path: str, qgis_root: str) -> str:
    """`PATH` without the folders of QGIS itself, whose DLLs Windows would load before the worker's own."""
    inside = os.path.normcase(os.path.abspath(qgis_root))
    kept = (p for p in path.split(os.pathsep) if not os.path.normcase(os.path.abspath(p)).startswith(inside))
    return os.pathsep.join(kept)


def worker_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for the worker: those of QGIS without what belongs to QGIS's own libraries.

    User site-packages stay as the interpreter has them: a virtual environment ignores them by itself, and who names
    a system interpreter may have installed PyTorch there.
    """
    source = os.environ if base is None else base
    cleaned = {k: v for k, v in source.items() if k not in _DROPPED and not k.startswith(_DROPPED_PREFIXES)}
    if sys.platform == "win32" and source.get("OSGEO4W_ROOT"):
        cleaned["PATH"] = _clean_search_path(cleaned.get("PATH", ""), source["OSGEO4W_ROOT"])
    # Lines must come as they are written, in UTF-8, whatever the locale.
    cleaned.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    return cleaned
