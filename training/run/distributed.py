"""The processes of a run: torchrun's ranks, what they exchange, loader workers, and the signals that end them."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from backend.core.cancel import SIGNALS
from backend.core.errors import ResourceError
from backend.core.supervise import leave
from backend.engines.pytorch import available_devices

S = TypeVar("S")
N = TypeVar("N")

# The newest exchanges, held so that it is never gloo's own thread that frees their tensors. For that it needs Python's
# lock, which the main thread holds while it frees the group and waits for that very thread to end: a run of several
# processes then hangs after its last step.
_held: deque[Any] = deque(maxlen=16)
# Networks whose gradients are exchanged, held for good: they make exchanges of their own, and are the last that know
# the group, so that a group is never freed. A process of several has to end by `leave_processes` then.
_kept: list[Any] = []


def kept(network: N) -> N:
    """The same network, which stays until the process ends."""
    _kept.append(network)
    return network


def leave_processes(status: int) -> NoReturn:
    """End this process with an exit code; where it is one of several, at once, without freeing what `kept` holds."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        leave(status)
    sys.exit(status)


def processes() -> int:
    """How many processes share the batch."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def first_process() -> bool:
    """Whether this is the process that speaks and writes for all."""
    return processes() == 1 or dist.get_rank() == 0


def shared_out(items: Sequence[S], work: Callable[[Sequence[S]], Iterable[str]]) -> Iterable[str]:
    """Results of work that each process does for its share of the items, in every process, in any order.

    Args:
        items: The same in every process.
        work: From a share of them to its results, as text without line ends.
    """
    if processes() == 1:
        return work(items)
    # Text, since torch's own exchange of objects unpickles what it is sent.
    lines = "\n".join(work(items[dist.get_rank() :: processes()]))
    return [line for text in _gather_texts(lines) for line in text.splitlines()]


def _wait(exchange: Any) -> None:
    _held.append(exchange)
    exchange.wait()


def _all_gather(parts: list[Tensor], mine: Tensor) -> None:
    _wait(dist.all_gather(parts, mine, async_op=True))


def _all_reduce(value: Tensor, **how: Any) -> None:
    _wait(dist.all_reduce(value, async_op=True, **how))


def _gather_texts(text: str) -> list[str]:
    """The text of each process."""
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
    data = torch.tensor(list(text.encode("utf-8")), dtype=torch.uint8, device=device)
    sizes = [torch.zeros(1, dtype=torch.int64, device=device) for _ in range(processes())]
    _all_gather(sizes, torch.tensor([len(data)], device=device))
    lengths = [int(size) for size in sizes]
    padded = torch.zeros(max(lengths), dtype=torch.uint8, device=device)
    padded[: len(data)] = data
    parts = [torch.zeros_like(padded) for _ in lengths]
    _all_gather(parts, padded)
    return [bytes(part[:length].tolist()).decode("utf-8") for part, length in zip(parts, lengths)]


def all_reduce_sum(value: Tensor) -> Tensor:
    """Sum of `value` over all processes, in place."""
    if processes() > 1:
        _all_reduce(value)
    return value


def all_reduce_max(value: Tensor) -> Tensor:
    """Elementwise maximum of `value` over all processes, in place."""
    if processes() > 1:
        _all_reduce(value, op=dist.ReduceOp.MAX)
    return value


def all_reduce_mean(value: Tensor) -> Tensor:
    """Mean of `value` over all processes, in place."""
    if processes() > 1:
        value = all_reduce_sum(value).div_(processes())
    return value


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """The rows of all processes in order of their rank, through which gradients flow back to where a row came from.

    Args:
        rows: [N, D], the same N in every process.

    Returns:
        Rows [processes × N, D], and the position of this process's first one among them.
    """
    if processes() == 1:
        return rows, 0
    gathered: Tensor = _GatherRows.apply(rows)  # type: ignore[no-untyped-call]
    return gathered, dist.get_rank() * len(rows)


class _GatherRows(torch.autograd.Function):
    # torch.distributed.nn.functional.all_gather does the same, but is deprecated, and has no successor with a gradient
    # that works with gloo.
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(processes())]
        _all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # A row counts in the loss of every process.
        total = all_reduce_sum(gradient.clone(memory_format=torch.contiguous_format))
        return total.chunk(processes())[dist.get_rank()]


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
    there = available_devices()
    name = there[0] if name == "auto" else name
    if name not in there:
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
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
