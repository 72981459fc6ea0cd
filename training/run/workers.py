"""The processes of a run: torchrun's ranks, and loader workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from backend.core.errors import ResourceError


@dataclass(frozen=True)
class World:
    """This process among those of the run."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0


def pick_device(name: str, local_rank: int = 0) -> torch.device:
    """The device of a setting: "auto" is CUDA, else Apple's, else the CPU.

    Raises:
        ResourceError: The device isn't there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(key for key, found in there.items() if found)
    if not there[name]:
        raise ResourceError(f"No {name} device here.", "Set the device to cpu, or auto.")
    return torch.device(name, local_rank) if name == "cuda" else torch.device(name)


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the processes that torchrun started; a world of one where it did not."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    chosen = pick_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if size == 1:
        yield World(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(rank, size, chosen)
    finally:
        dist.destroy_process_group()


def start_worker(_: int) -> None:
    """A loader worker has one thread, and leaves stopping to the training process.

    Ctrl-C, `timeout` and schedulers signal all processes at once; without its workers a run could not end its step.
    """
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
