"""Test exchanges between processes, their end, and loader workers that ignore signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from training.run.distributed import start_worker

SUPPORT = Path(__file__).resolve().parents[2] / "support"
ROUNDS = 60  # without what distributed.py holds, runs of 100 rounds hung every time


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
        said = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_workers_go_on_when_all_processes_are_asked_to_stop():
    items = list(torch.arange(20))
    batches = iter(DataLoader(items, batch_size=None, num_workers=1, worker_init_fn=start_worker))  # type: ignore[arg-type]
    assert int(next(batches)) == 0
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(batches._workers[0].pid, number)  # type: ignore[attr-defined]
    assert [int(item) for item in batches] == list(range(1, 20))
