"""Compile translations from .ts to .qm files with Qt's `lrelease`.

On PyPI, only whole copies of Qt write .qm files; Linux distributions have the program in a small package. Standard
library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Those of Qt 5 and Qt 6 write the same format.
NAMES = ("lrelease", "lrelease-qt6", "lrelease-qt5", "lrelease6", "lrelease5", "pyside6-lrelease")
# Debian's folder, which is not on PATH.
FOLDERS = ("/usr/lib/qt6/bin", "/usr/lib/qt5/bin")
PACKAGE = "qt6-l10n-tools"  # Debian's and Ubuntu's
HINT = f"install Qt's lrelease (Debian, Ubuntu: {PACKAGE}; elsewhere Qt's Linguist tools, or pip's pyside6-essentials)"


class LreleaseError(Exception):
    """Signal that a translation can't be compiled; the text holds the output of lrelease."""


def find_lrelease() -> str | None:
    """Return the path of an lrelease that runs, or None. On Debian, the program may be only a stub."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    for name in NAMES:
        for folder in path.split(os.pathsep):
            program = shutil.which(name, path=folder) if folder else None
            if program and subprocess.run([program, "-version"], capture_output=True, check=False).returncode == 0:
                return program
    return None


def compiled(source: Path) -> bytes:
    """Compile a .ts file to a .qm file; unfinished entries are left out and shown in English.

    Raises:
        LreleaseError: There is no lrelease, or it failed.
    """
    program = find_lrelease()
    if program is None:
        raise LreleaseError(f"{source.name} can't be compiled: {HINT}")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "made.qm")
        command = [program, "-silent", "-nounfinished", str(source), "-qm", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not target.is_file():
            raise LreleaseError(f"{program} can't compile {source}: {(done.stderr or done.stdout).strip()}")
        return target.read_bytes()
