"""Make the batches of coming steps in advance, in processes or in a thread."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import TypeVar

from torch.utils.data import DataLoader, Dataset

from training.run.distributed import start_worker

T = TypeVar("T")


def read_ahead(batches: Dataset[T], steps: range, workers: int, pin: bool = False) -> Generator[T, None, None]:
    """Yield ``batches[step]`` of each step in order.

    Closing the generator does not wait for the batch that is being made.

    Args:
        batches: Makes a batch from a step alone.
        steps: Steps.
        workers: Processes that make batches; 0 for a thread of this process that is one batch ahead.
        pin: Put tensors of worker processes into page-locked memory, from which they are copied to a card sooner.
    """
    if workers:
        others = active_children()
        made = iter(
            DataLoader(
                batches,
                batch_size=None,
                sampler=steps,
                num_workers=workers,
                worker_init_fn=start_worker,
                pin_memory=pin,
                prefetch_factor=4,
            )
        )
        # If Python ends before the workers, as after an error whose traceback holds the loader, multiprocessing sends
        # SIGTERM to the workers, which they ignore, and waits for them.
        mine = [child for child in active_children() if child not in others]
        Finalize(None, _kill, (mine,), exitpriority=0)
        yield from made
        return
    pool = ThreadPoolExecutor(1)
    try:
        ahead: Future[T] | None = None
        for step in steps:
            job = ahead or pool.submit(batches.__getitem__, step)
            ahead = pool.submit(batches.__getitem__, step + steps.step) if step + steps.step in steps else None
            yield job.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _kill(processes: Iterable[BaseProcess]) -> None:
    for process in processes:
        process.kill()
