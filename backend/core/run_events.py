"""Send the events that begin and end the run of a command."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend import __version__
from backend.core.events import Reporter


class RunEvents:
    """Report the start and the result of one run; its seconds are counted from here.

    Args:
        reporter: Receives the events.
        command: Name of the command.
        source: What is read.
        outputs: Files to write by role.
        model: Name of the model, if there is one.
        device: What computes.
    """

    def __init__(
        self, reporter: Reporter, command: str, source: str, outputs: Mapping[str, Path], model: str = "",
        device: str = "cpu",
    ) -> None:  # fmt: skip
        self._began, self._reporter = time.monotonic(), reporter
        self._command, self._source = command, source
        self._facts = {"outputs": {role: str(path) for role, path in outputs.items()}, "device": device, "model": model}

    def start(self, **more: Any) -> None:
        """Report that the work begins, with further facts about it."""
        self._reporter.start(version=__version__, command=self._command, input=self._source, **self._facts, **more)

    def result(self, **facts: Any) -> dict[str, Any]:
        """Report the result, and return its facts: outputs, device, model, seconds, and those given, which prevail."""
        return report_result(self._reporter, self._began, **{**self._facts, **facts})


def report_result(reporter: Reporter, began: float, outputs: Mapping[str, Path], **more: Any) -> dict[str, Any]:
    """Report the result of a run, and return its facts.

    Args:
        reporter: Receives it.
        began: When the run began, by `time.monotonic`; `seconds` is the time since.
        outputs: Files written, by role.
        more: Further facts; `seconds` among them prevails.
    """
    written = {role: str(path) for role, path in outputs.items()}
    facts = {"outputs": written, "seconds": round(time.monotonic() - began, 3), **more}
    reporter.result(facts)
    return facts
