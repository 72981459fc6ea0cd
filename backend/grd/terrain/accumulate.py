"""Add up the areas of facets in the samples of an image."""

from __future__ import annotations

import numpy as np

from backend.core.arrays import DoubleArray

# A facet is spread over this share of a sample at least: a facet that falls into a point has no density.
NARROWEST = 0.1


def accumulate(
    areas: DoubleArray, ends: tuple[DoubleArray, DoubleArray], lines: DoubleArray, shape: tuple[int, int]
) -> DoubleArray:
    """Return the sum of areas in each sample, [lines, samples] of `shape`.

    A facet is spread evenly between its ends along a line, and linearly over the two nearest lines.

    Args:
        areas: Areas of the facets, [n].
        ends: First and last position across of the facets, in any order, counted from the outer corner of the first
            sample, [n] each.
        lines: Positions of their middles along, whole at the middle of a line, [n].
        shape: Lines and samples.
    """
    height, width = shape
    middle, half = (ends[0] + ends[1]) / 2, np.maximum(np.abs(ends[1] - ends[0]), NARROWEST) / 2
    first = np.floor(lines)
    share = lines - first
    density = areas / (2 * half)
    # The integral of the density over all facets: its slope, and its value at 0, from a position on.
    slope, value = (np.zeros(height * (width + 2)) for _ in range(2))
    for line, part in ((first, density * (1 - share)), (first + 1, density * share)):
        inside = (line >= 0) & (line < height) & (part != 0)
        row, part = line[inside].astype(np.intp) * (width + 2), part[inside]
        for sign in (1, -1):
            end = (middle - sign * half)[inside]
            place = row + np.clip(np.ceil(end), 0, width + 1).astype(np.intp)
            slope += np.bincount(place, sign * part, slope.size)
            value -= np.bincount(place, sign * part * end, slope.size)
    slope, value = (np.cumsum(part.reshape(height, width + 2), axis=1)[:, : width + 1] for part in (slope, value))
    found: DoubleArray = np.diff(slope * np.arange(width + 1) + value, axis=1)
    return found
