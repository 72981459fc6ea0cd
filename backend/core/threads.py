"""Count the threads that this process may use."""

from __future__ import annotations

import os
from contextlib import suppress

MOST_DECODING = 8


def thread_count() -> int:
    """Return the threads to compute with: of the cores that this process may use, as OMP_NUM_THREADS limits them."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    with suppress(ValueError):
        return max(1, min(cores, int(os.environ.get("OMP_NUM_THREADS", ""))))
    return cores


def decoding_threads() -> int:
    """Return the number of threads that decode and encode blocks of files: a quarter of the cores.

    With fewer than eight cores 1, the reader's own: more threads cost work that other parts need.
    """
    return max(1, min(MOST_DECODING, thread_count() // 4))


def reading_threads() -> int:
    """Return the threads that decode a raster, each with a handle of its own, for a network that needs no core.

    Half of the cores, at most MOST_DECODING: the others convert, write, and compress what is written.
    """
    return max(1, min(MOST_DECODING, thread_count() // 2))
