"""Keep freed memory from staying with the process, where the C library lets one say so (glibc)."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# Numbers of malloc.h: pools of memory, and the size from which memory goes back to the system as soon as it is freed.
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
_POOLS, _LARGE = 2, 4 * 2**20


def hold_little() -> None:
    """Use few pools for all threads, and give large arrays back at once.

    Not for PyTorch on a processor, which takes and frees such arrays for every layer.
    """
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            library = ctypes.CDLL(None)
            library.mallopt(_ARENA_MAX, _POOLS)
            library.mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return freed memory to the system, after something that used more than what follows."""
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
