"""Record the settings and requirements of a completed environment."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from tools.setup.environment import REQUIREMENTS, venv_python
from tools.setup.process import works

STAMP = "sardino-setup.json"


def fingerprint(base: Path, with_qgis: bool) -> str:
    """Return a digest of all that determines the contents of the environment."""
    digest = hashlib.sha256(f"{base} {with_qgis}".encode())
    for path in [*sorted(Path(__file__).parent.glob("*.py")), *sorted(REQUIREMENTS.glob("*.txt"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_stamp(venv: Path) -> dict[str, Any]:
    """Return the record of a completed environment; empty if there is none."""
    try:
        noted = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def choose(venv: Path, without_qgis: str, qgis_python: str) -> tuple[Path, bool]:
    """Return the interpreter to build on, and whether QGIS is wanted.

    Options that aren't given are those of the last set-up: `make test` runs the set-up too, and must not install QGIS
    where it was left out, nor look for it in another Python.

    Args:
        venv: Environment, with or without a record.
        without_qgis: "1" to leave QGIS out, "0" to have it, "" to keep the last choice (at first, to have it).
        qgis_python: Interpreter given by hand, or "". With one, QGIS is wanted unless `without_qgis` is "1".
    """
    noted = read_stamp(venv)
    with_qgis = without_qgis == "0" if without_qgis else bool(qgis_python) or noted.get("with_qgis") is not False
    kept = str(noted.get("base", "")) if noted.get("with_qgis") is with_qgis else ""
    # `python3` on PATH may be another one (pyenv, conda), which doesn't see QGIS.
    default = "/usr/bin/python3" if with_qgis else sys.executable
    return Path(qgis_python or kept or default), with_qgis


def is_current(venv: Path, digest: str, complete: bool = True) -> bool:
    """Return whether the environment was completed with these requirements and still runs.

    Args:
        venv: The environment.
        digest: As `fingerprint` gives it.
        complete: Whether it is for tests, training and tools; else for the demo, which one with more serves as well.
    """
    noted = read_stamp(venv)
    if noted.get("digest") != digest or (complete and noted.get("complete") is False):
        return False
    looked_for = ["rasterio", "openvino", *(("torch", "torchvision", "timm", "pytest") if complete else ())]
    return works(venv_python(venv), f"from importlib.util import find_spec; assert all(map(find_spec, {looked_for}))")
