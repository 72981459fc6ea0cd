"""Processes that exchange and part: sums, maxima and gatherings are right, and leaving never hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[2] / "support"
ROUNDS = 60  # without what collective.py holds, runs of 100 rounds hung every time


def test_a_group_can_be_left_right_after_its_last_exchange(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, str(SUPPORT / "many_groups_worker.py"), str(rank), str(ROUNDS), str(tmp_path)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "PYTHONPATH": str(SUPPORT.parents[1])},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        told = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(told)
