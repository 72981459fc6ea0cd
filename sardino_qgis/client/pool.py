"""Hold the warm workers of the desktop: a shared one, and a spare one for the map tool while the first is busy.

A run never waits for another one: while the shared worker is busy, an algorithm starts a process for its run only.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .warm import WarmClient


class WarmPool:
    """Keep the plugin's warm workers. `qgis_process` has none, since it ends after one run."""

    def __init__(self) -> None:
        self._shared, self._spare = WarmClient(), WarmClient()

    def warm(self) -> None:
        """Make the shared worker load PyTorch. Raise as `WarmClient.warm` does."""
        self._shared.warm()

    def run(self, arguments: Sequence[str], feedback: Any, label: str) -> dict | None:
        """Return the result event of a run, or None at once while the worker is busy. Raise as `WarmClient.ask` does.

        Args:
            arguments: Arguments of the backend's command line.
            feedback: QgsProcessingFeedback, used in the calling thread only.
            label: Name of the work for the progress text.
        """
        return self._shared.offer({"run": list(arguments)}, feedback, label)

    def ask(self, question: dict, feedback: Any, label: str) -> dict:
        """Return the result event for a question of the map tool. Raise as `WarmClient.ask` does."""
        answer = self._shared.offer(question, feedback, label)
        return answer if answer is not None else self._spare.ask(question, feedback, label)

    def rest(self) -> None:
        """Begin to end idle workers, before their environment changes."""
        for client in (self._shared, self._spare):
            client.rest()

    def close(self) -> None:
        """End all workers for good, busy ones too, and wait until they have ended."""
        endings = [threading.Thread(target=client.close) for client in (self._shared, self._spare)]
        for ending in endings:
            ending.start()
        for ending in endings:
            ending.join()
