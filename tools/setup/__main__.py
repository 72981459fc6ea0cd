"""Make the development environment: QGIS, `.venv`, PyTorch, the tools. Run by `make setup`, and by `make demo` in part.

Standard library only, Python 3.9 or later, and safe to run again: with nothing missing it ends in a second.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tools.setup.environment import check_imports, ensure_torchvision, install_python_packages, make_venv
from tools.setup.process import ROOT, SetupError, say
from tools.setup.stamp import STAMP, choose, fingerprint, is_current
from tools.setup.system import ensure_lrelease, ensure_system


def main() -> int:
    """Set up what is missing; return the exit status."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--without-qgis", choices=["0", "1", ""], default="", help="1: the backend and training alone; 0: QGIS too"
    )
    parser.add_argument(
        "--demo", action="store_true", help="what the demo needs: no PyTorch, no tools of tests and training"
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="folder of the virtual environment")
    arguments = parser.parse_args()
    venv: Path = arguments.venv.resolve()
    complete = not arguments.demo
    base, with_qgis = choose(venv, arguments.without_qgis, os.environ.get("QGIS_PYTHON", ""))
    digest = fingerprint(base, with_qgis)
    try:
        ensure_system(base, with_qgis)
        if with_qgis:
            ensure_lrelease()
        if is_current(venv, digest, complete):
            say("everything is there" if with_qgis else "everything is there (without QGIS: WITHOUT_QGIS=0 adds it)")
            return 0
        python = make_venv(base, venv, with_qgis)
        install_python_packages(python, with_qgis, complete)
        if complete:
            ensure_torchvision(python)
        check_imports(python, with_qgis, complete)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    note = {"base": str(base), "with_qgis": with_qgis, "digest": digest, "complete": complete}
    (venv / STAMP).write_text(json.dumps(note) + "\n")
    say(f"done: {venv}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
