"""Read stored rows of a raster by several threads, in order, some rows ahead of who converts them.

Each thread has a handle of its own and the same share of every slab of rows: a stripe of columns from top to bottom, in
whole blocks, so that a handle decodes each of its blocks once. Blocks that are as wide as the raster are shared out by
rows instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray
from backend.core.cancel import POLL_S
from backend.raster.stored import Storage, StoredReader
from backend.stream.pipeline import Flow

# Slabs in memory: one that is converted, and those that are filled meanwhile.
SLABS = 3
# Rows of a slab where blocks allow it, and its most bytes, by which it is made lower.
SLAB_ROWS, SLAB_BYTES, LEAST_ROWS = 256, 56 * 2**20, 16

Allocate = Callable[[tuple[int, ...], str], NDArray[Any]]


@dataclass(frozen=True)
class Slab:
    """Hold rows as they are stored, in memory that is good until it is released.

    Attributes:
        top: First row.
        values: [bands, rows, width], of the type of the bands.
        told: Validity by masks [rows, width]; None where there are none.
    """

    top: int
    values: NDArray[Any]
    told: BoolArray | None


@dataclass(frozen=True)
class Share:
    """Hold the part of a slab that a thread reads: rows and columns within it."""

    rows: slice
    columns: slice


class Ahead:
    """Read slabs of rows ahead; its threads are those of a flow, and end with it.

    Args:
        readers: One for each thread; the first decides on nothing but what all share.
        storage: Of the values.
        size: Rows and columns to read, from the readers' first row and column.
        allocate: Makes an array of a shape and type, such as one from which a graphics card copies fast.
        flow: Whose threads they are.
    """

    def __init__(
        self,
        readers: Sequence[StoredReader],
        storage: Storage,
        size: tuple[int, int],
        allocate: Allocate,
        flow: Flow,
    ) -> None:
        self._readers, self._storage, self._size, self._flow = readers, storage, size, flow
        bands = len(storage.kinds)
        self._rows = slab_rows(storage.block[0], size[1] * bands * np.dtype(storage.kinds[0]).itemsize)
        self._spans = slabs(readers[0].top, size[0], self._rows)
        shape = bands, min(self._rows, size[0]), size[1]
        count = min(SLABS, len(self._spans))
        self._values = [allocate(shape, storage.kinds[0]) for _ in range(count)]
        self._told = [np.empty(shape[1:], dtype=np.bool_) for _ in range(count)] if storage.masked else []
        self._changed = threading.Condition()
        self._done = [0] * len(readers)  # slabs that a thread has read
        self._free = count  # slabs that may be begun
        for number in range(len(readers)):
            flow.start(lambda number=number: self._read(number), f"decoder-{number}")  # type: ignore[misc]

    def __iter__(self) -> Iterator[Slab]:
        """Yield slabs from top to bottom; each is to be released (`release`), or there is no memory for later ones."""
        for index, (top, bottom) in enumerate(self._spans):
            self._wait(lambda index=index: min(self._done) > index)  # type: ignore[misc]
            yield Slab(top, *self._memory(index, bottom - top))

    def release(self) -> None:
        """Give the memory of the first slab that still has some to one that is read; SLABS - 1 may be kept."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _read(self, number: int) -> None:
        reader = self._readers[number]
        for index, (top, bottom) in enumerate(self._spans):
            self._wait(lambda index=index: self._free > index)  # type: ignore[misc]
            values, told = self._memory(index, bottom - top)
            start = reader.top + top, reader.left
            share = shares((bottom - top, self._size[1]), self._storage.block, start, len(self._readers))[number]
            part = values[:, share.rows, share.columns]
            if part.size:
                where = top + (share.rows.start or 0), share.columns.start or 0
                reader.read(where, part, None if told is None else told[share.rows, share.columns])
            with self._changed:
                self._done[number] = index + 1
                self._changed.notify_all()

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._changed:
            while not until():
                self._flow.check()
                self._changed.wait(POLL_S)
        self._flow.check()

    def _memory(self, index: int, rows: int) -> tuple[NDArray[Any], BoolArray | None]:
        which = index % len(self._values)
        return self._values[which][:, :rows], self._told[which][:rows] if self._told else None


def slab_rows(block: int, row_bytes: int) -> int:
    """Return the rows of a slab: whole blocks, or halves of them where a row of blocks is too large.

    Args:
        block: Rows of a block.
        row_bytes: Bytes of a row.
    """
    rows = block * max(1, SLAB_ROWS // block)
    while rows > LEAST_ROWS and rows * row_bytes > SLAB_BYTES:
        rows = rows // 2 if rows % 2 == 0 else LEAST_ROWS
    return rows


def slabs(first: int, height: int, rows: int) -> list[tuple[int, int]]:
    """Return top and bottom of each slab; all but the first begin at a multiple of `rows` in the file.

    Args:
        first: Row of the file that counts as row 0.
        height: Rows to read.
        rows: Of a slab.
    """
    cuts = [*range(rows - first % rows, height, rows)]
    return list(zip([0, *cuts], [*cuts, height]))


def shares(size: tuple[int, int], block: tuple[int, int], start: tuple[int, int], count: int) -> list[Share]:
    """Return what each of `count` threads reads of a slab; some may have nothing.

    Args:
        size: Rows and columns of the slab.
        block: Rows and columns of a stored block.
        start: Row and column of the file where the slab begins.
        count: Threads.
    """
    axis = 1 if block[1] < size[1] else 0
    unit, begin, total = block[axis], start[axis], size[axis]
    blocks = -(-(begin + total) // unit) - begin // unit
    # Cuts lie at multiples of the block in the file, whatever the slab's first row or column.
    cuts = [max(0, min(total, (begin // unit + blocks * n // count) * unit - begin)) for n in range(count + 1)]
    cuts[-1] = total
    whole = slice(0, size[1 - axis])
    parts = [slice(a, b) for a, b in zip(cuts, cuts[1:])]
    return [Share(whole, part) if axis else Share(part, whole) for part in parts]
