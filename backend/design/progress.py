"""Report the rows of several passes over a raster."""

from __future__ import annotations

from backend.core.cancel import Cancel
from backend.core.events import Reporter


class RowProgress:
    """Report rows done, and raise Cancelled when the run was cancelled.

    Args:
        reporter: Receives the progress.
        cancel: Asked for a cancel.
        height: Rows of a pass.
        passes: Expected number of passes; each further one makes the work longer.
    """

    def __init__(self, reporter: Reporter, cancel: Cancel, height: int, passes: int) -> None:
        self._reporter, self._cancel, self._height, self._total = reporter, cancel, height, height * passes
        self._done = 0

    def __call__(self, rows: int) -> None:
        self._cancel.check()
        self._done += rows
        if self._done > self._total:
            self._total += self._height
        self._reporter.progress(self._done, self._total)
