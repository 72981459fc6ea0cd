"""Loader workers when a run is stopped."""

from __future__ import annotations

import os
import signal
import sys

import pytest
import torch
from torch.utils.data import DataLoader

from training.run.workers import start_worker


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_workers_go_on_when_all_processes_are_asked_to_stop():
    items = list(torch.arange(20))
    batches = iter(DataLoader(items, batch_size=None, num_workers=1, worker_init_fn=start_worker))  # type: ignore[arg-type]
    assert int(next(batches)) == 0
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(batches._workers[0].pid, number)  # type: ignore[attr-defined]
    assert [int(item) for item in batches] == list(range(1, 20))
