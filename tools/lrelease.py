"""Compile translations: the .ts files that are kept to the .qm files that Qt loads, with Qt's own `lrelease`.

No package on PyPI writes .qm files but whole copies of Qt; Linux distributions have the program in a small package.
Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Qt 5's and Qt 6's write the same format.
NAMES = ("lrelease", "lrelease-qt6", "lrelease-qt5", "lrelease6", "lrelease5", "pyside6-lrelease")
# Where Debian puts them, which is not on PATH.
FOLDERS = ("/usr/lib/qt6/bin", "/usr/lib/qt5/bin")
PACKAGE = "qt6-l10n-tools"  # Debian's and Ubuntu's
HINT = f"install Qt's lrelease (Debian, Ubuntu: {PACKAGE}; elsewhere Qt's Linguist tools, or pip's pyside6-essentials)"


class LreleaseError(Exception):
    """A translation can't be compiled; the text says what lrelease said."""


def find_lrelease() -> str | None:
    """Return the path of an lrelease that runs, or None. Debian's own may be a stand-in for one not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    for name in NAMES:
        for folder in path.split(os.pathsep):
            program = shutil.which(name, path=folder) if folder else None
            if program and subprocess.run([program, "-version"], capture_output=True, check=False).returncode == 0:
                return program
    return None


def compile_file(source: Path, target: Path, program: str) -> None:
    """Compile one translation; entries that aren't finished stay out, so that they are shown in English.

    Args:
        source: a .ts file.
        target: the .qm file.
        program: lrelease.

    Raises:
        LreleaseError: it failed; an older `target` is as it was.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    command = [program, "-silent", "-nounfinished", str(source), "-qm", str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not part.is_file():
        part.unlink(missing_ok=True)
        raise LreleaseError(f"{program} can't compile {source}: {(done.stderr or done.stdout).strip()}")
    part.replace(target)


def compile_all(sources: list[Path], folder: Path) -> dict[str, Path]:
    """Compile translations into `folder`; name -> path of each .qm file, or nothing where there is no lrelease.

    Raises:
        LreleaseError: one can't be compiled.
    """
    program = find_lrelease() if sources else None
    if program is None:
        return {}
    made = {}
    for source in sources:
        target = folder / f"{source.stem}.qm"
        compile_file(source, target, program)
        made[target.name] = target
    return made
