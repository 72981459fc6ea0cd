"""Run a compiled network tile by tile, in as many threads as there are cores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Callable

import numpy as np

from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.engines.answer import Answer


class Tilewise(ABC):
    """Run a network on one tile at a time, from any thread.

    Args:
        names: Names of its outputs.
        threads: Tiles at once.
    """

    def __init__(self, names: Iterable[str], threads: int) -> None:
        self.names, self.threads = tuple(names), threads

    @abstractmethod
    def outputs(self, tile: FloatArray) -> list[FloatArray]:
        """Return the outputs float32 [channels, t, t] for a tile float32 [bands, tile, tile]; for any thread."""

    def answer(self, tile: FloatArray, names: Sequence[str] = ()) -> FloatArray:
        """Return some outputs for a tile, joined along the channels, or all; one may be wanted twice."""
        parts = self.outputs(tile)
        if len(parts) == 1 and len(names) <= 1:
            return parts[0]
        found = dict(zip(self.names, parts))
        return np.concatenate([found[name] for name in names or self.names])

    @contextmanager
    def runner(self, answer: Answer, cancel: Cancel) -> Iterator[Callable[[FloatArray], Iterator[FloatArray]]]:
        """Return a callable on batches of tiles, whose threads end with the context.

        It takes tiles float32 [n, bands, tile, tile], not to be changed before their answers are there, and gives the
        answer of each, float32 [channels, t, t], in order; who takes one waits until it is done. Tile by tile they go
        to the thread that is free. Who asks for more tiles before the last answers are taken keeps all threads at
        work: a reader or writer that takes one's core for a moment doesn't keep the others waiting.

        Args:
            answer: Wanted outputs of the network.
            cancel: Once set, tiles that wait are given up.
        """

        def one(tile: FloatArray) -> FloatArray:
            cancel.check()
            return answer.finished(self.answer(tile, answer.outputs))

        def run(tiles: FloatArray) -> Iterator[FloatArray]:
            answers = [pool.submit(one, tile) for tile in tiles]
            return (each.result() for each in answers)

        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tile")
        try:
            yield run
        finally:
            # If the run failed, waiting tiles are given up.
            pool.shutdown(cancel_futures=True)
