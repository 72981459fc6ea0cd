"""Memory must depend on width and tile, never on height."""

import os
import subprocess
import sys

import pytest

from tests.backend.maps.stream_memory import FEATURES, PATCH, measure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no measure of the peak there")


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_height(tmp_path):
    low, high = (measure(rows, 1500, tmp_path) for rows in (6000, 16000))
    assert high <= 1.05 * low  # one byte a pixel kept for the whole raster would be 1.08


@pytest.mark.slow
def test_embeddings_are_not_kept(tmp_path):
    low, high = (measure(rows, 1500, tmp_path, "embed") for rows in (5000, 20000))
    kept = (20000 - 5000) * 1500 / PATCH**2 * FEATURES * 4 / 2**20
    assert high - low < kept / 2  # the allocator may hold some MiB more, whatever the height


def test_a_large_parent_does_not_hide_what_the_child_uses(repo_root):
    large_parent = bytearray(os.urandom(1 << 20)) * 500
    code = (
        "import sys; from tests.support.peak_memory import peak_mib; kept = b'x' * int(sys.argv[1]); print(peak_mib())"
    )

    def peak(size: int) -> float:
        command = [sys.executable, "-c", code, str(size)]
        return float(subprocess.run(command, cwd=repo_root, check=True, capture_output=True, text=True).stdout)

    assert peak(100 << 20) - peak(0) == pytest.approx(100, abs=10)
    del large_parent
