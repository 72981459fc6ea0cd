"""Pass the worker's events (JSON lines) on to a Processing feedback."""

from __future__ import annotations

import json
import math
import time
from typing import Any

from ..common.backend_texts import backend_text
from ..common.duration import time_left
from ..common.errors import HintedError
from ..common.i18n import tr
from ..environment.hints import pytorch_hint
from ..environment.kinds import Kind, kind_of
from .dialog_terms import in_dialog_terms

NOISE_LIMIT = 50  # lines that are no events to show in the log
TEXT_SECONDS = 2.0  # shortest time between two progress texts
_EVENTS = frozenset({"start", "progress", "log", "result", "error"})


class WorkerError(HintedError):
    """Signal that the worker refused or failed; `message` says what happened, `hint` what to do."""


class WorkerCancelledError(Exception):
    """Signal that the user cancelled, and the worker has ended."""


def _event(line: str) -> dict | None:
    """Parse a line of output; return None for anything but a known event."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, dict) and isinstance(event.get("event"), str) and event["event"] in _EVENTS
    return event if known else None


class Listener:
    """Turn events into calls of a Processing feedback, and keep the result or error event."""

    def __init__(self, feedback: Any, label: str) -> None:
        """Report to `feedback`, a QgsProcessingFeedback; `label` names the work in the progress text."""
        self.result: dict | None = None
        self.error: dict | None = None
        self._feedback = feedback
        self._label = label
        self._noise = 0
        self._text = ""
        self._text_at = -math.inf
        self._eta: Any = None

    @property
    def answered(self) -> bool:
        """Return whether a result or an error has come."""
        return self.result is not None or self.error is not None

    def raise_error(self, python: str = "") -> None:
        """Raise the worker's error as a WorkerError, if it sent one; `python` is the worker's interpreter."""
        if self.error is None:
            return
        said = [str(self.error.get(key, "")) for key in ("message", "hint")]
        message, hint = (in_dialog_terms(backend_text(text)) for text in said)
        if backend_text(said[0]) != said[0]:
            self._feedback.pushDebugInfo(" ".join(said))  # the words that the guide and others know
        if "torch" in "".join(said).lower() and kind_of(python) is Kind.MAPPING:
            # The backend doesn't know what the menu offers.
            hint = pytorch_hint() if "torch" in said[0].lower() else f"{hint} {pytorch_hint()}"
        raise WorkerError(message, hint)

    def hear(self, line: str) -> None:
        """Take one line of the worker's output. A line that is no event goes to the log and is never fatal."""
        event = _event(line)
        if event is None:
            self._hear_noise(line)
        else:
            getattr(self, "_hear_" + event["event"])(event)

    def _hear_noise(self, line: str) -> None:
        self._noise += 1
        if line.strip() and self._noise <= NOISE_LIMIT:
            self._feedback.pushDebugInfo(line[:500])

    def _hear_start(self, event: dict) -> None:
        if event.get("model") == "":
            self._feedback.pushInfo(tr("Backend {}.").format(event.get("version", "?")))
            return
        self._feedback.pushInfo(
            tr("Model {model} on {device}, backend {version}.").format(
                model=event.get("model", "?"),
                device=event.get("device", "?"),
                version=event.get("version", "?"),
            )
        )

    def _hear_progress(self, event: dict) -> None:
        done, total = event.get("done"), event.get("total")
        if not isinstance(done, (int, float)) or not isinstance(total, (int, float)) or not total > 0:
            return
        self._feedback.setProgress(min(100.0, max(0.0, 100.0 * done / total)))
        left = time_left(event.get("eta_s"))
        text = f"{self._label}, {left}" if left else self._label
        # QGIS writes every text into its log too: only estimates that say something new are sent.
        if text != self._text and self._is_news(event.get("eta_s")) and self._is_time():
            self._feedback.setProgressText(text)
            self._text, self._text_at, self._eta = text, time.monotonic(), event.get("eta_s")

    def _is_time(self) -> bool:
        return time.monotonic() - self._text_at >= TEXT_SECONDS

    def _is_news(self, eta: Any) -> bool:
        """Return whether an estimate is the first, or differs from the last one shown by half."""
        if not isinstance(eta, (int, float)) or not self._eta:
            return self._eta is None
        return not 0.5 < eta / self._eta < 2

    def _hear_log(self, event: dict) -> None:
        push = self._feedback.pushWarning if event.get("level") == "warning" else self._feedback.pushInfo
        push(in_dialog_terms(backend_text(str(event.get("message", "")))))

    def _hear_result(self, event: dict) -> None:
        self.result = event

    def _hear_error(self, event: dict) -> None:
        self.error = event
