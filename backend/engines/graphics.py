"""Find out without importing PyTorch, which takes seconds, whether it may find a graphics card here."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import re
import sys
from pathlib import Path

# A line of PyTorch's version.py: "cuda: Optional[str] = '13.0'", None in a build for processors.
_BUILT_FOR = re.compile(r"^(?:cuda|hip)\s*(?::[^=]*)?=\s*['\"]", re.MULTILINE)
_DRIVERS = {"win32": ("nvcuda.dll", "amdhip64.dll"), "linux": ("libcuda.so.1", "libamdhip64.so")}


def may_find_card() -> bool:
    """Return False only where PyTorch isn't installed, was built for processors, or there is no driver."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64" and _version_file() is not None
    version = _version_file()
    if version is None:
        return False
    try:
        built = _BUILT_FOR.search(version.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        built = True
    return built and any(map(_loads, _DRIVERS.get(sys.platform, ())))


def _version_file() -> Path | None:
    try:
        found = importlib.util.find_spec("torch")
    except (ImportError, ValueError):  # it is blocked, or half removed
        return None
    return Path(found.origin).with_name("version.py") if found and found.origin else None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
