"""A reporter that keeps what a run reports, and may cancel it."""

from __future__ import annotations

from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.events import Reporter


class Listener(Reporter):
    """Keeps messages and steps, and calls `bell` at each step."""

    def __init__(self, bell=lambda: None):
        super().__init__()
        self.lines, self.steps, self._bell = [], [], bell

    @property
    def messages(self):
        return [message for _, message in self.lines]

    @property
    def warnings(self):
        return [message for level, message in self.lines if level == "warning"]

    def log(self, level, message):
        self.lines.append((level, message))

    def progress(self, done, total, **figures):
        self.steps.append((done, total))
        self._bell()


def cancelled_after(done=0):
    """Return a context whose run is cancelled once so much, and at least something, is done."""
    cancel = Cancel()
    listener = Listener(lambda: listener.steps[-1][0] >= done and cancel.set())
    return Context(listener, cancel)
