"""Read many files at once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from backend.core.threads import thread_count

T = TypeVar("T")
S = TypeVar("S")

# Reading waits for the disk as well as for the processor; beyond the most, Python's lock is what threads wait for.
LEAST_THREADS, MOST_THREADS = 4, 16


def file_threads() -> int:
    """Return the threads that read files of a data folder."""
    return min(max(thread_count(), LEAST_THREADS), MOST_THREADS)


def read_together(read: Callable[[S], T], items: Sequence[S]) -> Iterator[T]:
    """Yield the results of `read` in the order of the items; an error is raised at its item."""
    pool = ThreadPoolExecutor(file_threads())
    try:
        yield from pool.map(read, items)
    finally:
        pool.shutdown(cancel_futures=True)
