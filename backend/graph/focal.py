"""Build focal statistics of backscatter, as `backend/network/focal.py` computes them."""

from __future__ import annotations

from collections.abc import Sequence

from backend.graph.builder import Builder
from backend.graph.graph import INPUT


def valid_pixels(b: Builder) -> str:
    """Add 1 where a pixel of the input is valid, else 0: [n, 1, rows, columns]."""
    most = b.add("ReduceMax", b.add("Abs", INPUT), axes=(1,), keepdims=1)
    return b.add("Cast", b.add("Greater", most, b.floats(0.0)), to=1)


def windowed_sum(b: Builder, x: str, side: int) -> str:
    """Add sums over square windows; nothing counts beyond the border."""
    return b.add("Mul", b.average(x, (side, side), True), b.floats(float(side * side)))


def window_features(b: Builder, bands: int, windows: Sequence[int], valid: str) -> str:
    """Add the input, then its mean and deviation in windows, each with the difference of the first two bands."""
    parts = [INPUT]
    for side in windows:
        count = b.add("Max", windowed_sum(b, valid, side), b.floats(1.0))
        mean = b.add("Div", windowed_sum(b, INPUT, side), count)
        square = b.add("Div", windowed_sum(b, b.add("Mul", INPUT, INPUT), side), count)
        variance = b.add("Max", b.add("Sub", square, b.add("Mul", mean, mean)), b.floats(0.0))
        parts += [mean, b.add("Sqrt", variance)]
    if bands > 1:
        parts = [part for each in parts for part in (each, _difference(b, each))]
    return b.join(parts)


def _difference(b: Builder, x: str) -> str:
    return b.add("Sub", b.slice(x, 0, 1, 1), b.slice(x, 1, 2, 1))
