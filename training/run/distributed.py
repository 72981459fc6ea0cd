"""Join the processes of a run, exchange tensors between them, set up loader workers, and stop on signals."""

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
from backend.core.supervise import leave
from backend.engines.pytorch import choose_device

S = TypeVar("S")
N = TypeVar("N")

# The newest exchanges, kept so that gloo's own thread never frees their tensors. It would need Python's global lock,
# which the main thread holds while it frees the group and waits for that thread: a run of several processes would hang
# after its last step.
_held: deque[Any] = deque(maxlen=16)
# Networks whose gradients are exchanged, kept until the process ends: they make exchanges of their own and refer to the
# group, which is then never freed. A process of several must therefore end by `leave_processes`.
_kept: list[Any] = []


def kept(network: N) -> N:
    """Keep a network until the process ends, and return it."""
    _kept.append(network)
    return network


def leave_processes(status: int) -> NoReturn:
    """End this process with an exit code; one of several ends at once, without freeing what `kept` keeps."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        leave(status)
    sys.exit(status)


def processes() -> int:
    """Return the number of processes that share the batch."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def first_process() -> bool:
    """Return whether this is the process that prints and writes files."""
    return processes() == 1 or dist.get_rank() == 0


def shared_out(items: Sequence[S], work: Callable[[Sequence[S]], Iterable[str]]) -> Iterable[str]:
    """Divide some work among the processes; return the results of all, in any order.

    Args:
        items: The same in every process.
        work: Turns some items into results, texts without line ends.
    """
    if processes() == 1:
        return work(items)
    # As text: torch's own exchange of objects unpickles what it receives.
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
    """Sum `value` over all processes, in place."""
    if processes() > 1:
        _all_reduce(value)
    return value


def all_reduce_max(value: Tensor) -> Tensor:
    """Take the elementwise maximum of `value` over all processes, in place."""
    if processes() > 1:
        _all_reduce(value, op=dist.ReduceOp.MAX)
    return value


def all_reduce_mean(value: Tensor) -> Tensor:
    """Average `value` over all processes, in place."""
    if processes() > 1:
        value = all_reduce_sum(value).div_(processes())
    return value


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Gather the rows of all processes in order of their rank; gradients flow back to the process of each row.

    Args:
        rows: [N, D], the same N in every process.

    Returns:
        Rows [processes × N, D], and the index of this process's first row.
    """
    if processes() == 1:
        return rows, 0
    gathered: Tensor = _GatherRows.apply(rows)  # type: ignore[no-untyped-call]
    return gathered, dist.get_rank() * len(rows)


class _GatherRows(torch.autograd.Function):
    # torch.distributed.nn.functional.all_gather does the same but is deprecated, and no successor has a gradient with
    # gloo.
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(processes())]
        _all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # Each row is used by the losses of all processes.
        total = all_reduce_sum(gradient.clone(memory_format=torch.contiguous_format))
        return total.chunk(processes())[dist.get_rank()]


@dataclass(frozen=True)
class World:
    """Describe this process among those of the run."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Return whether this process writes the files."""
        return self.rank == 0


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the processes that torchrun started; without torchrun there is one."""
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


def start_worker(_: int) -> None:
    """Give a loader worker one thread, and make it ignore SIGINT and SIGTERM.

    Ctrl-C, `timeout` and schedulers signal all processes at once; a run needs its workers to finish the step.
    """
    torch.set_num_threads(1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
