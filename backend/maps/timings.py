"""Measure the phases of a run."""

from __future__ import annotations

import time


class Timings:
    """Accumulate elapsed seconds by phase, one phase after the other."""

    def __init__(self) -> None:
        self._began = self._since = time.monotonic()
        self._seconds: dict[str, float] = {}

    def end(self, phase: str) -> None:
        """End a phase; the next one begins."""
        now = time.monotonic()
        self._seconds[phase] = self._seconds.get(phase, 0.0) + now - self._since
        self._since = now

    def rounded(self) -> dict[str, float]:
        """Return seconds by phase, in the order in which they first ended, to the millisecond."""
        return {phase: round(seconds, 3) for phase, seconds in self._seconds.items()}

    def total(self) -> float:
        """Return the seconds since the start, to the millisecond."""
        return round(time.monotonic() - self._began, 3)
