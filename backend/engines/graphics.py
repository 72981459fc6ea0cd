"""Find graphics cards without importing PyTorch, which takes seconds."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import re
import sys
from contextlib import suppress
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


def usable_cards() -> list[str]:
    """Return the numbers of NVIDIA's cards that this process may use."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [part.strip() for part in told.split(",") if part.strip() and part.strip() != "-1"]
    return [str(number) for number in range(_count_cards())]


def _count_cards() -> int:
    """Return how many cards NVIDIA's driver finds, without a context on one; 0 without driver."""
    count = ctypes.c_int(0)
    with suppress(OSError, AttributeError):
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if driver.cuInit(0) == 0:
            driver.cuDeviceGetCount(ctypes.byref(count))
    return count.value
