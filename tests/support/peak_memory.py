"""Measure the most memory that a program has had resident."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mib() -> float:
    """Return the most memory this program has had resident since its start, in MiB.

    VmHWM belongs to the address space, which a new program starts afresh. getrusage's ru_maxrss belongs to the process,
    and a child started by vfork inherits its parent's: a large parent (pytest with PyTorch and QGIS) then hides all
    that the child uses.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    import resource  # not on Windows

    # Kilobytes, but bytes on macOS.
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
