"""Batches made in advance are those asked for, in order, and no process is left behind."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.utils.data import Dataset

from training.data.ahead import read_ahead


class Squares(Dataset[torch.Tensor]):
    """Return the square of a step, and who made it."""

    def __getitem__(self, step: int) -> torch.Tensor:
        return torch.tensor(step * step)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("steps", [range(0), range(3, 8), range(1)])
def test_batches_are_the_same_in_order(workers, steps):
    assert [int(batch) for batch in read_ahead(Squares(), steps, workers)] == [step * step for step in steps]


def test_closing_early_ends_the_workers():
    before = set(multiprocessing.active_children())
    ahead = read_ahead(Squares(), range(1000), 2)
    assert int(next(ahead)) == 0
    workers = set(multiprocessing.active_children()) - before
    assert len(workers) == 2
    began = time.monotonic()
    ahead.close()
    for worker in workers:
        worker.join(5)
    assert not any(worker.is_alive() for worker in workers) and time.monotonic() - began < 6


class Broken(Squares):
    def __getitem__(self, step: int) -> torch.Tensor:
        raise RuntimeError("no such batch")


def test_what_a_worker_raises_arrives():
    for workers in (0, 1):
        with pytest.raises(RuntimeError, match="no such batch"):
            next(read_ahead(Broken(), range(2), workers))


LEFT_OPEN = """
from tests.training.data.test_ahead import Squares
from training.data.ahead import read_ahead

source = read_ahead(Squares(), range(1000), 1)
next(source)
{end}
"""
HELD = """
from tests.training.data.test_ahead import Broken
from training.data.ahead import read_ahead

try:
    next(read_ahead(Broken(), range(2), 1))
except RuntimeError as error:
    held = error  # with its traceback, and so the loader
"""


@pytest.mark.parametrize("end", ["", "raise ValueError('not caught')"])
def test_a_program_ends_while_workers_wait(end: str, repo_root: Path) -> None:
    command = [sys.executable, "-c", LEFT_OPEN.format(end=end)]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == bool(end), done.stderr
    assert ("not caught" in done.stderr.splitlines()[-1]) if end else done.stderr == "", done.stderr


def test_a_program_ends_while_an_error_is_held(repo_root: Path) -> None:
    subprocess.run([sys.executable, "-c", HELD], cwd=repo_root, timeout=60, check=True)
