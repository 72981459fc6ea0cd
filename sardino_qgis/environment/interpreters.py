"""Find a Python interpreter to build an environment on, on Windows, macOS and Linux.

QGIS embeds Python, so `sys.executable` is QGIS itself on Windows and macOS; the interpreter is in its prefix. That one
may be unsuitable (no ssl, no venv, or too old), so others on the machine are tried after it. Standard
library only.
"""

from __future__ import annotations

import glob
import json
import ntpath
import posixpath
import re
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.i18n import tr
from ..common.process import output_of
from .kinds import Kind
from .pinned import covered, lacking, read
from .store import interpreter_in

NEWEST_MINOR = 14  # of those looked for by name
_PROBE = """
import importlib, json, platform, struct, sys
missing = []
for name in ("ssl", "ctypes", "zlib", "venv", "ensurepip"):
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
print(json.dumps({"path": sys.executable, "version": sys.version_info[:2], "platform": sys.platform,
                  "machine": platform.machine(), "bits": 8 * struct.calcsize("P"), "missing": missing}))
"""


@dataclass(frozen=True)
class Base:
    """Hold an interpreter that an environment can be built on."""

    path: str
    version: str  # such as "3.11"
    platform: str  # such as "linux-x86_64", "win32-x86_64", "darwin-arm64"


class UnfitError(Exception):
    """Signal that an interpreter is unsuitable; the text says why."""


def candidates(
    system: str,
    executable: str,
    prefix: str,
    variables: Mapping[str, str],
    find: Callable[[str], Any] = shutil.which,
    match: Callable[[str], Sequence[str]] = glob.glob,
) -> list[str]:
    """Return paths where an interpreter may be, the likeliest first, without duplicates; they may not exist.

    Args:
        system: As `sys.platform`.
        executable: `sys.executable`.
        prefix: `sys.base_prefix`, the installation that QGIS's Python belongs to.
        variables: Environment variables.
        find: Gives the path of a program by its name, or None (`shutil.which`).
        match: Gives the files of a pattern (`glob.glob`).
    """
    paths = ntpath if system == "win32" else posixpath
    here = paths.dirname(executable)
    own = [executable] if paths.basename(executable).lower().startswith("python") else []
    if system == "win32":
        local = variables.get("LOCALAPPDATA", "")
        found = [
            paths.join(prefix, "python.exe"),
            paths.join(prefix, "python3.exe"),
            *own,
            *_newest(match(paths.join(paths.dirname(here), "apps", "Python3*", "python.exe"))),
            paths.join(here, "python3.exe"),
            *(_newest(match(paths.join(local, "Programs", "Python", "Python3*", "python.exe"))) if local else []),
            *(find(name) or "" for name in ("py", "python3", "python")),
        ]
        # Python from Microsoft's store redirects what it writes under AppData, and its stub only opens the store.
        found = [path for path in found if "\\windowsapps\\" not in path.lower()]
    else:
        found = [f"{prefix}/bin/python3", *own, *(f"{folder}/python3" for folder in (f"{here}/bin", here))]
        if system == "darwin":
            found += [
                posixpath.normpath(f"{here}/../Frameworks/Python.framework/Versions/Current/bin/python3"),
                "/opt/homebrew/bin/python3",
                "/usr/local/bin/python3",
                "/Library/Frameworks/Python.framework/Versions/Current/bin/python3",
            ]
        found += [
            find("python3") or "",
            *(find(f"python3.{minor}") or "" for minor in range(NEWEST_MINOR, Kind.MAPPING.oldest[1] - 1, -1)),
        ]
        if system == "darwin":
            # Apple's stub opens a window that offers developer tools, which include an old Python.
            found = [path for path in found if path != "/usr/bin/python3"]
    return list(dict.fromkeys(path for path in found if path))


def _newest(paths: Sequence[str]) -> list[str]:
    """Sort interpreters in folders named Python39, Python312 and so on, the newest version first."""
    return sorted(paths, key=lambda path: int("0" + re.sub(r"\D", "", path.split("\\")[-2])), reverse=True)


def look_at(path: str, variables: Mapping[str, str], needed: Sequence[str], kind: Kind = Kind.MAPPING) -> Base:
    """Start an interpreter, and return it if it is suitable.

    Args:
        path: Its path.
        variables: Environment variables to start it with.
        needed: Modules that it must have.
        kind: Kind of the installation.

    Raises:
        UnfitError: It can't be started, is too old, or lacks something.
    """
    try:
        facts = json.loads(output_of([path, "-c", _PROBE], variables))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UnfitError(tr("it doesn't start")) from error
    version = tuple(facts["version"])
    if version < kind.oldest:
        raise UnfitError(tr("Python {}.{}, but at least {}.{} is needed").format(*version, *kind.oldest))
    if facts["bits"] != 64:
        raise UnfitError(tr("a 64-bit Python is needed"))
    missing = [name for name in needed if name in facts["missing"]]
    if missing:
        what = tr("the module {} is missing").format(", ".join(missing))
        if {"venv", "ensurepip"} & set(missing) and facts["platform"] == "linux":
            what += " " + tr("(on Debian and Ubuntu: sudo apt install python3-venv)")
        raise UnfitError(what)
    machine = {"AMD64": "x86_64", "ARM64": "aarch64"}.get(facts["machine"], facts["machine"])
    base = Base(facts["path"], "{}.{}".format(*version), f"{facts['platform']}-{machine}")
    _refuse_without_builds(base, kind)
    if "venv" in needed:
        _try_environment(facts["path"], variables)
    return base


def _refuse_without_builds(base: Base, kind: Kind) -> None:
    """Refuse an interpreter for which packages are known to have no build, and name the other kind if that has."""
    missing = lacking(kind, base.platform, base.version)
    if not missing:
        return
    text = tr("there is no build of {} for {} with Python {}").format(", ".join(missing), base.platform, base.version)
    other = Kind.PYTORCH if kind is Kind.MAPPING else Kind.MAPPING
    if read(other, base.platform, base.version).hashed:
        text += "; " + tr("choose {}").format(other.title)
    elif covered(kind, base.platform):
        text += "; " + tr("take Python {}").format(", ".join(covered(kind, base.platform)))
    raise UnfitError(text)


def _try_environment(path: str, variables: Mapping[str, str]) -> None:
    """Make a small environment: one made with the interpreter of an application may fail to start."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, "trial")
        try:
            output_of([path, "-m", "venv", "--without-pip", str(trial)], variables)
            output_of([str(interpreter_in(trial)), "-c", "import ssl"], variables)
        except (OSError, subprocess.SubprocessError) as error:
            raise UnfitError(tr("a virtual environment made with it doesn't start")) from error


def find_base(named: str, variables: Mapping[str, str], needed: Sequence[str], kind: Kind = Kind.MAPPING) -> Base:
    """Return the interpreter `named` by the user, or else the first suitable one for a kind of installation.

    Raises:
        UnfitError: There is none; the text names each one that was tried, and what is wrong with it.
    """
    wanted = [named] if named else candidates(sys.platform, sys.executable, sys.base_prefix, variables)
    looked = []
    for path in wanted:
        program = shutil.which(path)
        if program is None:
            if named:
                looked.append(tr("{}: there is no such program").format(path))
            continue
        try:
            return look_at(program, variables, needed, kind)
        except UnfitError as unfit:
            looked.append(f"{program}: {unfit}")
    raise UnfitError("; ".join(looked) or tr("none found"))
