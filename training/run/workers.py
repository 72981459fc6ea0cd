"""The processes of a run: torchrun's ranks, loader workers, and the signals that end them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import torch
import torch.distributed as dist

from backend.engines.pytorch import choose_device


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


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the processes that torchrun started; a world of one where it did not."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    chosen = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
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


class StopRequest:
    """Whether SIGINT or SIGTERM came."""

    def __init__(self) -> None:
        """Not asked for yet."""
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take note; the loop ends after the step at hand."""
        self.asked = True


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn SIGINT and SIGTERM into a request; earlier handlers come back after."""
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_worker(_: int) -> None:
    """A loader worker has one thread, and leaves stopping to the training process.

    Ctrl-C, `timeout` and schedulers signal all processes at once; without its workers a run could not end its step.
    """
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
