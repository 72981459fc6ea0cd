"""Describe the corners of pixels of a strip of patches: where borders turn, meet and touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.arrays import BoolArray, IntArray
from backend.vectors.labelling import Labels


@dataclass(frozen=True)
class PixelCorners:
    """Hold the corners of pixels, [rows of corners, width + 1], and the patches in the four quadrants around each.

    Attributes:
        nw: Patch to the north-west of each corner; 0 for no data and outside the map. Others likewise.
        ne: North-east.
        sw: South-west.
        se: South-east.
    """

    nw: Labels
    ne: Labels
    sw: Labels
    se: Labels

    @staticmethod
    def of(padded: Labels) -> PixelCorners:
        """Describe all corners between the rows and columns of a strip that is padded by one pixel all around."""
        return PixelCorners(padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:])

    def nodes(self) -> BoolArray:
        """Return where three or four borders meet."""
        found: BoolArray = self._borders() >= 3
        return found

    def turns(self) -> BoolArray:
        """Return where a border turns or borders meet: all points that lines along borders need."""
        straight = ((self.nw == self.sw) & (self.ne == self.se)) | ((self.nw == self.ne) & (self.sw == self.se))
        number = self._borders()
        found: BoolArray = (number >= 3) | ((number == 2) & ~straight)
        return found

    def _borders(self) -> Labels:
        number: Labels = (
            (self.nw != self.ne).astype(np.int32) + (self.ne != self.se) + (self.se != self.sw) + (self.sw != self.nw)
        )
        return number

    def pinched(self, labels: IntArray, corners: IntArray) -> BoolArray:
        """Return whether a patch touches itself at a corner, with two of its pixels at opposite sides.

        Args:
            labels: Patches, [n].
            corners: Index of a corner in the flattened lattice for each.
        """
        nw, ne, sw, se = (part.ravel()[corners] for part in (self.nw, self.ne, self.sw, self.se))
        falling = (nw == labels) & (se == labels) & (ne != labels) & (sw != labels)
        rising = (ne == labels) & (sw == labels) & (nw != labels) & (se != labels)
        found: BoolArray = falling | rising
        return found
