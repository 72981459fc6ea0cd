"""Read the pinned lists of packages, and choose the builds of PyTorch for a machine. Standard library only.

Each kind of installation has a hashed list. That with PyTorch holds the default builds: with CUDA on Linux (gigabytes),
without it on Windows, with Metal on Macs. Builds from other indexes (CPU only on Linux, CUDA on Windows) have other
hashes, which aren't known in advance: for them PyTorch and torchvision are pinned by version only, and everything else
by hash.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..common import plugin_files
from ..common.i18n import tr
from ..common.process import output_of
from .kinds import Kind

_PAIR = ("torch", "torchvision")
_CUDA = ("nvidia-", "cuda-", "triton")
# Size of a CPU build of PyTorch for Linux, which the sizes in the hashed list don't include.
CPU_TORCH_MB = 200


@dataclass(frozen=True)
class Entry:
    """Hold one requirement of a list, with its hashes."""

    name: str
    text: str


@dataclass(frozen=True)
class Pinned:
    """Hold a list of requirements. `hashed` says whether each has hashes; sizes are in MB, 0 where unknown."""

    entries: tuple[Entry, ...]
    hashed: bool
    size: int = 0
    size_without_torch: int = 0

    def text(self, torch: bool = True) -> str:
        """Return the list for pip without pip itself, with or without the packages of PyTorch and CUDA."""
        kept = (e for e in self.entries if torch or not (e.name in _PAIR or e.name.startswith(_CUDA)))
        return "".join(entry.text for entry in kept if entry.name != "pip")

    def pip(self) -> str:
        """Return the requirement of pip itself, or an empty string."""
        return "".join(entry.text for entry in self.entries if entry.name == "pip")

    def pair(self, suffix: str = "") -> str:
        """Return PyTorch and torchvision pinned by version only; `suffix` (such as "+cpu") is added to PyTorch's."""
        lines = (e.text.splitlines()[0].rstrip(" \\") for e in self.entries if e.name in _PAIR)
        return "".join(re.sub(r"^(torch==[\w.]+)", rf"\g<1>{suffix}", line) + "\n" for line in lines)


@dataclass(frozen=True)
class Build:
    """Describe files to install. `kind`: "listed" (the pinned list), or "cpu" or "source" (another PyTorch)."""

    kind: str
    label: str


LISTED = Build("listed", "")


def read(kind: Kind, platform: str, version: str) -> Pinned:
    """Read the list for a platform and a Python version: the hashed one if it covers them, else the plain one.

    Args:
        kind: Kind of the installation.
        platform: Such as "linux-x86_64".
        version: Such as "3.12".
    """
    text = _text(plugin_files.locked_requirements(kind.value))
    place = rf"{re.escape(platform)} {re.escape(version)}"
    covers = re.search(rf"^# covers {place} (\d+) (\d+)$", text, re.MULTILINE)
    if covers:
        return Pinned(_entries(text), True, int(covers.group(1)), int(covers.group(2)))
    plain = _text(plugin_files.requirements_file())
    if plain and kind is Kind.PYTORCH:
        plain += _text(plugin_files.requirements_file(kind.value))
    return Pinned(_entries(plain), False)


def lacking(kind: Kind, platform: str, version: str) -> list[str]:
    """Return the packages that are known to have no build for a platform and a Python version."""
    text = _text(plugin_files.locked_requirements(kind.value))
    lacks = re.search(rf"^# lacks {re.escape(platform)} {re.escape(version)} (.+)$", text, re.MULTILINE)
    return lacks.group(1).split() if lacks else []


def covered(kind: Kind, platform: str) -> list[str]:
    """Return the versions of Python for which all packages have builds on a platform."""
    text = _text(plugin_files.locked_requirements(kind.value))
    return re.findall(rf"^# covers {re.escape(platform)} (\S+) ", text, re.MULTILINE)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _entries(text: str) -> tuple[Entry, ...]:
    found, whole = [], ""
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            whole += line + "\n"
            if not line.endswith("\\"):
                found.append(Entry(re.split(r"[^\w.-]", whole)[0].lower(), whole))
                whole = ""
    return tuple(found)


def builds(platform: str, gpu: bool, source: str) -> list[Build]:
    """Return the builds of PyTorch in the order in which they are tried.

    Args:
        platform: Such as "linux-x86_64".
        gpu: Whether there is an NVIDIA card.
        source: A folder of wheels or an index that the user named, or an empty string.
    """
    listed = Build("listed", tr("the default build"))
    cpu = Build("cpu", tr("the CPU build, if pip's settings name an index that has it"))
    found = [Build("source", tr("the build from the chosen source"))] if source else []
    if platform.startswith("linux"):
        listed = Build("listed", tr("the default build, with CUDA for NVIDIA cards"))
        return [*found, listed, cpu] if gpu else [*found, cpu, listed]
    return [*found, listed]


def nvidia_card(variables: Mapping[str, str], system: str = sys.platform) -> str:
    """Return the name of the first NVIDIA card from its driver, or an empty string."""
    program = shutil.which("nvidia-smi")
    if program is None and system == "win32":
        program = os.path.join(variables.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvidia-smi.exe")
    if program is None or not os.path.isfile(program):
        return ""
    try:
        names = output_of([program, "--query-gpu=name", "--format=csv,noheader"], variables).splitlines()
    except (OSError, subprocess.SubprocessError):
        return ""
    return names[0].strip() if names else ""
