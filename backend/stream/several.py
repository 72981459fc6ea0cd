"""Map several dates of one place at once: their input side by side, the answers joined.

Each date goes through the network by itself. The logarithms of its probabilities are averaged over the dates: the
product of what each date says (a logarithmic opinion pool; Genest and Zidek 1986, Statistical Science 1(1), section 3).
`benchmarks/quality/dates.py` compares that with other ways on real series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable

import numpy as np

from backend.core.arrays import BoolArray, FloatArray
from backend.stream.decision import Decide
from backend.stream.fill import fill_invalid
from backend.stream.rows import Frame
from backend.stream.tiles import Model

# Least probability whose logarithm is taken, so that no date decides alone.
FLOOR = np.float32(1e-6)
Through = Callable[[Model], Model]


class SeveralFrame:
    """Put the network input of several dates side by side, each followed by a band that is 1 where it is valid.

    Args:
        frames: Frames of the dates, on one grid.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = list(frames)
        self.height, self.width = frames[0].height, frames[0].width

    def read(self, top: int, bottom: int) -> tuple[FloatArray, BoolArray]:
        """Return the network input float32 [dates x (bands + 1), rows, width]; validity where any date is valid."""
        stack: FloatArray = np.empty(0, dtype=np.float32)
        anywhere = np.zeros((bottom - top, self.width), dtype=np.bool_)
        for index, frame in enumerate(self._frames):
            x, valid = frame.read(top, bottom)
            planes = len(x) + 1
            if index == 0:
                stack = np.empty((len(self._frames) * planes, *valid.shape), dtype=np.float32)
            stack[index * planes : index * planes + len(x)] = x
            stack[index * planes + len(x)] = valid
            anywhere |= valid
        return stack, anywhere


def joining(bands: int, decide: Decide | None = None) -> Through:
    """Return a function that turns a model of tiles of one date into a model of tiles of `SeveralFrame`.

    Args:
        bands: Number of bands of a date.
        decide: Chooses a class from probabilities, if votes are wanted.

    Returns:
        A function from the model to one whose answers are probabilities float32 [K, t, t], followed, with `decide`, by
        the share of the valid dates that chose each class by themselves, [K, t, t].
    """

    def through(model: Model) -> Model:
        def run(tiles: FloatArray) -> Iterator[FloatArray]:
            dates = tiles.reshape(len(tiles), -1, bands + 1, *tiles.shape[2:])
            there = dates[:, :, bands] > 0.5
            wanted = there.any(axis=(2, 3))
            inputs = [fill_invalid(dates[i, d, :bands], there[i, d]) for i, d in zip(*np.nonzero(wanted))]
            # Sent at once, so that threads have work; joined when the writer asks.
            answers = iter(model(np.stack(inputs)))

            def tile(index: int) -> FloatArray:
                each = [next(answers) for _ in range(int(wanted[index].sum()))]
                return joined(each, there[index][wanted[index]], decide)

            return map(tile, range(len(tiles)))

        return run

    return through


def joined(answers: Sequence[FloatArray], there: BoolArray, decide: Decide | None = None) -> FloatArray:
    """Join the probabilities of dates.

    Args:
        answers: float32 [K, t, t] of each date.
        there: Where each is valid, [dates, t, t]; where none is, all count.
        decide: As for `joining`.

    Returns:
        float32 [K, t, t], or [2 K, t, t] with votes.
    """
    weights = np.where(there.any(axis=0), there, True).astype(np.float32)
    weights /= weights.sum(axis=0)
    logs = np.zeros_like(answers[0])
    for answer, weight in zip(answers, weights):
        logs += weight * np.log(np.maximum(answer, FLOOR))
    result: FloatArray = np.exp(logs)
    result /= result.sum(axis=0)
    if decide is None:
        return result
    votes = np.zeros_like(result)
    classes = np.arange(len(result))[:, None, None]
    for answer, weight in zip(answers, weights):
        votes += weight * (decide(answer) == classes)
    return np.concatenate((result, votes))
