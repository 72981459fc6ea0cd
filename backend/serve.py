"""A worker that stays: answers questions about similarity, a JSON object a line.

    {"input": "scene.tif", "points": [[x, y]], "output": "similarity.tif", "view": [xmin, ymin, xmax, ymax]}

`backend.oracle.Question` says what a question may hold. Each gets the events of a run, the last "result" or "error".
"""

from __future__ import annotations

import queue
import time
from typing import TextIO

from backend.cancel import POLL_S, Cancel
from backend.errors import Cancelled, SarDinoError, unforeseen
from backend.oracle import Oracle, Question
from backend.report import JsonReporter


class Inbox:
    """Lines from the bytes that come in."""

    def __init__(self) -> None:
        self.lines: queue.Queue[bytes] = queue.Queue()
        self._rest = b""

    def take(self, chunk: bytes) -> None:
        """Add bytes; lines that are whole with them can be got from `lines`."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                self.lines.put(line)


def serve(inbox: Inbox, stream: TextIO, cancel: Cancel, device: str, idle_s: float) -> None:
    """Answer until `cancel` is set, or no question came for `idle_s` seconds.

    Raises:
        Cancelled: It was set during an answer.
    """
    import backend.device
    import backend.weights  # noqa: F401 - slow to import: while the user still looks for a place to click

    oracle, asked = Oracle(device, cancel), time.monotonic()
    while not cancel.is_set() and time.monotonic() - asked < idle_s:
        try:
            line = inbox.lines.get(timeout=POLL_S)
        except queue.Empty:
            continue
        reporter = JsonReporter(stream)
        try:
            oracle.answer(Question.parse(line), reporter)
        except Cancelled:
            raise
        except SarDinoError as refusal:
            reporter.error(refusal)
        except Exception as error:  # one question's fault must not be the end of all
            reporter.error(unforeseen(error))
        asked = time.monotonic()
