"""A reporter that keeps the messages of a run."""

from __future__ import annotations

from backend.core.events import Reporter


class Listener(Reporter):
    """Keeps messages and steps, and calls `bell` at each step."""

    def __init__(self, bell=lambda: None):
        super().__init__()
        self.messages, self.steps, self._bell = [], [], bell

    def log(self, level, message):
        self.messages.append(message)

    def progress(self, done, total):
        self.steps.append((done, total))
        self._bell()
