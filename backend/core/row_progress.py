"""Report the rows of one or several passes over a raster."""

from __future__ import annotations

from backend.core.context import Context


class RowProgress:
    """Report rows done, and raise Cancelled when the run was cancelled.

    Args:
        context: Receives the progress; asked for a cancel.
        height: Rows of a pass.
        passes: Expected number of passes; each further one makes the work longer.
    """

    def __init__(self, context: Context, height: int, passes: int = 1) -> None:
        self._context, self._height, self._total = context, height, height * passes
        self._done = 0

    def __call__(self, rows: int) -> None:
        self._context.cancel.check()
        self._done += rows
        if self._done > self._total:
            self._total += self._height
        self._context.reporter.progress(self._done, self._total)
