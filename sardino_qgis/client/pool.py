"""The warm workers of a desktop: one for the algorithms and the map tool, and another for the tool while that is busy.

A run never waits for another one: where the worker is at work, the algorithm starts one of its own, which ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .warm import WarmClient


class WarmPool:
    """Owned by the plugin, in a desktop only: `qgis_process` ends after its one run anyway."""

    def __init__(self) -> None:
        self._shared, self._spare = WarmClient(), WarmClient()

    def warm(self) -> None:
        """Have a worker load PyTorch; raises as `WarmClient.warm`."""
        self._shared.warm()

    def run(self, arguments: Sequence[str], feedback: Any, label: str) -> dict | None:
        """The result event of a run; None, at once, where the worker is at work on something else.

        Args:
            arguments: Of the backend, as on the command line.
            feedback: QgsProcessingFeedback, used from the calling thread.
            label: What is being done, for the progress text.

        Raises as `WarmClient.ask`.
        """
        return self._shared.offer({"run": list(arguments)}, feedback, label)

    def ask(self, question: dict, feedback: Any, label: str) -> dict:
        """The result event that answers a question of the map tool; raises as `WarmClient.ask`."""
        answer = self._shared.offer(question, feedback, label)
        return answer if answer is not None else self._spare.ask(question, feedback, label)

    def rest(self) -> None:
        """End those that are idle: the environment that they run in is about to change."""
        for client in (self._shared, self._spare):
            client.rest()

    def close(self) -> None:
        """End all, whatever they do, for good, and wait until they have gone."""
        endings = [threading.Thread(target=client.close) for client in (self._shared, self._spare)]
        for ending in endings:
            ending.start()
        for ending in endings:
            ending.join()
