"""Describe to an engine what a run wants of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Callable, Protocol

from backend.core.cancel import Cancel
from backend.engines.answer import Answer
from backend.stream.tiles import Model


@dataclass(frozen=True)
class Job:
    """Describe the work of an engine in one run.

    Attributes:
        answer: Wanted outputs of the network.
        fetch: Whether answers come back as arrays; False on a graphics card alone: they stay there, as tensors.
        cancel: Once set, tiles that wait are given up.
        log: Called with (level, message).
    """

    answer: Answer
    fetch: bool
    cancel: Cancel
    log: Callable[[str, str], None]


class Engine(Protocol):
    """Run the network of one model.

    Attributes:
        name: One of `backend.engines.choice.ENGINES`.
        device: Kind of device, such as "cpu" or "cuda".
        device_name: Name for people, such as "cuda (NVIDIA H100)".
        batch: Tiles at once.
    """

    name: str
    device: str
    device_name: str
    batch: int

    def prepare(self, answer: Answer) -> None:
        """Make ready for an answer; ResourceError if the engine can't give it, or gives another than PyTorch."""

    def runner(self, job: Job) -> AbstractContextManager[Model]:
        """Make a callable on arrays for the stream; its threads end with the context."""
