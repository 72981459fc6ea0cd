"""Number the connected patches of one class in a strip of a class map (4-connectivity)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from backend.core.arrays import BoolArray, IntArray

Labels = NDArray[np.int32]


def label_strip(values: IntArray, valid: BoolArray) -> tuple[Labels, IntArray]:
    """Number the patches of a strip.

    Pixels are first joined to runs within their row, and runs then to patches (a graph of runs is several times
    smaller than one of pixels).

    Args:
        values: Class of each pixel, [rows, width].
        valid: False where there is no data, same shape.

    Returns:
        Patch of each pixel, int32 [rows, width], 0 where there is no data; and the class of each patch, the first of
        which (patch 0) means nothing. Patches are numbered by their first pixel, row by row.
    """
    begins = np.ones(values.shape, bool)
    begins[:, 1:] = (values[:, 1:] != values[:, :-1]) | (valid[:, 1:] != valid[:, :-1])
    runs = (np.cumsum(begins.ravel(), dtype=np.int32) - 1).reshape(values.shape)
    joined = (values[1:] == values[:-1]) & valid[1:] & valid[:-1]
    patch_of_run = joined_groups(runs[:-1][joined], runs[1:][joined], int(runs[-1, -1]) + 1)
    first = begins.ravel()
    there = valid.ravel()[first]
    # Number the patches that have data from 1 on; groups are numbered by their first run already.
    number = np.zeros(int(patch_of_run.max()) + 1, np.int32)
    number[patch_of_run[there]] = 1
    number = np.where(number > 0, np.cumsum(number, dtype=np.int32), 0).astype(np.int32)
    of_run = number[patch_of_run]
    classes = np.zeros(int(number.max()) + 1, np.int64)
    classes[of_run] = values.ravel()[first]
    classes[0] = 0
    return of_run[runs], classes


def joined_groups(a: NDArray[Any], b: NDArray[Any], count: int) -> Labels:
    """Return the group of each of `count` items when items a[i] and b[i] belong together.

    Groups are numbered from 0 by their first item.
    """
    if a.size:
        change = np.ones(a.size, bool)
        change[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
        a, b = a[change], b[change]
    graph = coo_matrix((np.ones(a.size, np.int8), (a, b)), shape=(count, count))
    _, found = connected_components(graph, directed=False)
    # Numbered by the first item, whatever the order in which the library visits them.
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int32)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size, dtype=np.int32)
    groups: Labels = rank[inverse.ravel()]
    return groups
