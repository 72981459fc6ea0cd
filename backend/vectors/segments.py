"""Find the straight pieces of the outlines of patches in a strip, and what follows each piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, IntArray
from backend.vectors.labelling import Labels
from backend.vectors.pixel_corners import PixelCorners

# A bit of each direction, by which pieces that arrive and leave are paired where a patch touches itself at a corner:
# the outline turns left there, round the pixel of the other patch. So the inside of every polygon hangs together.
ARRIVES = {"east": 1, "west": 0, "south": 0, "north": 1}
LEAVES = {"east": 0, "west": 1, "south": 0, "north": 1}


@dataclass(frozen=True)
class Segments:
    """Hold directed segments with their patch on the right-hand side.

    Attributes:
        start: Index of the corner (in the strip's lattice, flattened) where each begins.
        end: End of each.
        label: Patch.
        arrives: Its bit of ARRIVES.
        leaves: Its bit of LEAVES.
    """

    start: IntArray
    end: IntArray
    label: IntArray
    arrives: IntArray
    leaves: IntArray

    @staticmethod
    def join(parts: list[Segments]) -> Segments:
        """Return all pieces of several."""
        names = ("start", "end", "label", "arrives", "leaves")
        return Segments(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @staticmethod
    def going(start: IntArray, end: IntArray, label: IntArray | Labels, arrives: str, leaves: str = "") -> Segments:
        """Make pieces that all go in one direction, or that arrive in one and leave in another."""
        bits = [np.full(start.size, bit, np.int64) for bit in (ARRIVES[arrives], LEAVES[leaves or arrives])]
        return Segments(start.astype(np.int64), end.astype(np.int64), label.astype(np.int64), *bits)


def find_segments(padded: Labels, rows: int, breaks: BoolArray | None) -> list[Segments]:
    """Find the pieces in a strip.

    Args:
        padded: Patches with a pixel more on each side: the row above the strip, and the row below it. Only if the
            strip is the last one is its lower edge looked at.
        rows: Rows of corners whose horizontal pieces are wanted.
        breaks: Corners, [rows of corners, width + 1], at which pieces end even where they go on straight; None for
            none.
    """
    width = padded.shape[1] - 1
    up, down = padded[:rows, 1:-1], padded[1 : rows + 1, 1:-1]
    cuts = None if breaks is None else breaks[:rows, 1:-1]
    row, first, last, label = _runs(up, down, cuts)
    found = [Segments.going(row * width + first, row * width + last, label, "east")]
    row, first, last, label = _runs(down, up, cuts)
    found.append(Segments.going(row * width + last, row * width + first, label, "west"))
    left, right = padded[1:-1, :-1].T, padded[1:-1, 1:].T
    cuts = None if breaks is None else breaks[1 : left.shape[1]].T
    column, first, last, label = _runs(left, right, cuts)
    found.append(Segments.going(last * width + column, first * width + column, label, "north"))
    column, first, last, label = _runs(right, left, cuts)
    found.append(Segments.going(first * width + column, last * width + column, label, "south"))
    return found


def _runs(other: Labels, own: Labels, cuts: BoolArray | None) -> tuple[IntArray, IntArray, IntArray, NDArray[np.int32]]:
    """Find runs of pixels along lines whose neighbour across the line is another patch.

    Args:
        other: Patch on the other side, [lines, pixels].
        own: Patch on this side, same shape.
        cuts: Whether a run ends between pixel i and i + 1, [lines, pixels - 1]; None for nowhere.

    Returns:
        Line, first and last (exclusive) pixel, and patch of each run.
    """
    own = np.ascontiguousarray(own)
    edge = (own != other) & (own > 0)
    on = edge[:, 1:] & edge[:, :-1] & (own[:, 1:] == own[:, :-1])
    if cuts is not None:
        on &= ~cuts
    begins, ends = edge.copy(), edge
    begins[:, 1:] &= ~on
    ends[:, :-1] &= ~on
    first, last = np.flatnonzero(begins), np.flatnonzero(ends)
    line = first // own.shape[1]
    return line, first - line * own.shape[1], last - line * own.shape[1] + 1, own.ravel()[first]


def successors(segments: Segments, lattice: PixelCorners, known: int) -> IntArray:
    """Return the index of the piece that follows each piece, -1 for those that end below the strip.

    Args:
        segments: All pieces of the strip, and those that earlier strips left open.
        lattice: Lattice of the strip.
        known: Corners with a smaller index have all their pieces.
    """
    result = np.full(segments.start.size, -1, np.int64)
    arriving = np.flatnonzero(segments.end < known)
    leaving = np.flatnonzero(segments.start < known)
    before = _keys(segments.end[arriving], segments.label[arriving], segments.arrives[arriving], lattice)
    after = _keys(segments.start[leaving], segments.label[leaving], segments.leaves[leaving], lattice)
    result[arriving[np.argsort(before)]] = leaving[np.argsort(after)]
    return result


def _keys(corners: IntArray, labels: IntArray, bits: IntArray, lattice: PixelCorners) -> IntArray:
    bits = np.where(lattice.pinched(labels, corners), bits, 0)
    keys: IntArray = (corners << 1 | bits) << 31 | labels
    return keys
