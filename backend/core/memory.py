"""Keep freed memory from staying with the process, where the C library lets one say so (glibc)."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# Numbers of malloc.h: pools of memory; the size from which memory goes back to the system as soon as it is freed; and
# how much may lie unused at the end of a pool. Unless that is said too it is 128 KiB, and what one array gives back is
# fetched again, and zeroed, for the next one.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_POOLS, _LARGE, _UNUSED = 2, 4 * 2**20, 4 * 2**20


def hold_little() -> None:
    """Use few pools for all threads, and give large arrays back at once.

    Not for PyTorch on a processor, which takes and frees such arrays for every layer.
    """
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            library = ctypes.CDLL(None)
            library.mallopt(_ARENA_MAX, _POOLS)
            library.mallopt(_MMAP_THRESHOLD, _LARGE)
            library.mallopt(_TRIM_THRESHOLD, _UNUSED)


def give_back() -> None:
    """Return freed memory to the system, after something that used more than what follows."""
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
