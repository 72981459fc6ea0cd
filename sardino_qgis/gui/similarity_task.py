"""Ask a question of the map tool in the background."""

from __future__ import annotations

from typing import Any, Callable

from qgis.core import QgsProcessingFeedback, QgsTask
from qgis.PyQt.QtCore import Qt

from ..client.events import WorkerCancelledError, WorkerError
from ..client.pool import WarmPool
from ..common.i18n import tr
from ..environment.locate import BackendMissingError


class _Feedback(QgsProcessingFeedback):
    """Keep warnings for the main thread; other messages are not shown."""

    def __init__(self) -> None:
        super().__init__(False)
        self.warnings: list[str] = []

    def pushWarning(self, warning: str) -> None:
        self.warnings.append(warning)


class SimilarityTask(QgsTask):
    """Run a question as one of QGIS's tasks, with progress and a cancel button.

    Attributes:
        result: The worker's result event; None without success.
        trouble: Why there is none; empty after a cancel.
        warnings: The worker's warnings, for the user.
    """

    def __init__(self, pool: WarmPool, question: dict, raster_id: str, done: Callable[[Any], None]) -> None:
        """Prepare the task.

        Args:
            pool: Workers that answer.
            question: As `backend.cli.serve` defines it.
            raster_id: Id of the layer that the question is about, kept for `done`.
            done: Called in the main thread with this task at its end.
        """
        super().__init__(tr("Similarity to a place"), QgsTask.Flag.CanCancel)
        self.question, self.raster_id = question, raster_id
        self.result: dict | None = None
        self.trouble = ""
        self._pool, self._done = pool, done
        self._feedback = _Feedback()
        # In the thread of `run`: a queued call could reach a task that QGIS has deleted.
        self._feedback.progressChanged.connect(self.setProgress, Qt.ConnectionType.DirectConnection)

    @property
    def warnings(self) -> list[str]:
        return self._feedback.warnings

    def run(self) -> bool:
        try:
            self.result = self._pool.ask(self.question, self._feedback, self.description())
        except WorkerCancelledError:
            return False
        except (WorkerError, BackendMissingError) as trouble:
            self.trouble = str(trouble)
            return False
        return True

    def cancel(self) -> None:
        """Cancel the question, which ends the worker too."""
        self._feedback.cancel()
        super().cancel()

    def finished(self, good: bool) -> None:
        self._done(self)
