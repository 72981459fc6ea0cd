"""Time contenders fairly on machines with varying clocks: in turn, by ratios within a round, with an anchor.

The anchor is a product of two matrices, whose speed shows what the processor gave at that moment. The contenders of a
round run within minutes of each other; the result is the median over rounds of the ratio of their times. The spread of
the anchors shows how far to trust it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Callable

import torch

ANCHOR_SIDE = 1024
ANCHOR_S = 0.2


@dataclass(frozen=True)
class Timing:
    """Hold one run of one contender.

    Attributes:
        name: Name of the contender.
        round: Number of the round, from 0.
        seconds: Seconds that the contender returned.
        anchor_gflops: Mean of the anchors just before and after, billions of operations a second.
    """

    name: str
    round: int
    seconds: float
    anchor_gflops: float


def anchor_gflops(seconds: float = ANCHOR_S) -> float:
    """Return billions of float32 operations a second of a matrix product, with PyTorch's threads."""
    a = torch.randn(ANCHOR_SIDE, ANCHOR_SIDE, generator=torch.Generator().manual_seed(0))
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        torch.mm(a, a)
        count += 1
    return count * 2 * ANCHOR_SIDE**3 / (time.perf_counter() - began) / 1e9


def interleaved(contenders: Mapping[str, Callable[[], float]], rounds: int) -> list[Timing]:
    """Run all contenders once in every round; each round begins with another one.

    Args:
        contenders: Functions by name, which run a contender and return the seconds that count.
        rounds: 3 or more, so that one bad round doesn't move the median.
    """
    names, timings = list(contenders), []
    anchor_gflops()  # the first use of a library takes longer
    for number in range(rounds):
        shift = number % len(names)
        before = anchor_gflops()
        for name in names[shift:] + names[:shift]:
            seconds = contenders[name]()
            after = anchor_gflops()
            timings.append(Timing(name, number, seconds, (before + after) / 2))
            before = after
    return timings


def seconds_of(timings: list[Timing], name: str) -> float:
    """Return the median seconds of a contender."""
    return statistics.median(t.seconds for t in timings if t.name == name)


def ratio(timings: list[Timing], name: str, reference: str) -> float:
    """Return the median over rounds of the seconds of a contender over those of `reference`."""
    of = {(t.name, t.round): t.seconds for t in timings}
    return statistics.median(of[name, number] / of[reference, number] for number in {t.round for t in timings})


def summary(timings: list[Timing], reference: str) -> dict[str, Any]:
    """Return seconds and ratio of every contender, the spread of the anchors, and every run."""
    names = list(dict.fromkeys(t.name for t in timings))
    anchors = [t.anchor_gflops for t in timings]
    return {
        "reference": reference,
        "contenders": {
            name: {"seconds": round(seconds_of(timings, name), 4), "ratio": round(ratio(timings, name, reference), 4)}
            for name in names
        },
        "anchor_gflops": {"lowest": round(min(anchors), 1), "highest": round(max(anchors), 1)},
        "runs": [asdict(t) for t in timings],
    }
