"""Sums, means and gatherings over the processes of a run; the value itself where there is one process."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Callable, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from backend.core.supervise import leave

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
