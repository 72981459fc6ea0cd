"""Memory must depend on width and tile, never on height (benchmarks/memory.py measures full-sized rasters)."""

import pytest

from benchmarks.memory import measure

resource = pytest.importorskip("resource")


def test_peak_memory_does_not_grow_with_height(tmp_path):
    low, high = (measure(rows, 1500, tmp_path)["peak_mib"] for rows in (6000, 16000))
    assert high <= 1.1 * low
