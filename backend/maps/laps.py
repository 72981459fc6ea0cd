"""Where the time of a run goes: its parts, one after the other."""

from __future__ import annotations

import time


class Laps:
    """Seconds by part; what has no name yet belongs to the part that ends next."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._seconds: dict[str, float] = {}

    def end(self, part: str) -> None:
        """A part ends now; the next one begins."""
        now = time.monotonic()
        self._seconds[part] = self._seconds.get(part, 0.0) + now - self._since
        self._since = now

    def rounded(self) -> dict[str, float]:
        """Seconds by part, in the order in which they first ended, to the millisecond."""
        return {part: round(seconds, 3) for part, seconds in self._seconds.items()}
