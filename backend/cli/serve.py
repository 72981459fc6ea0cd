"""A worker that stays, and answers one thing after another, a JSON object a line.

    {"run": ["landcover", "scene.tif", "map.tif", "--overwrite"]}
    {"input": "scene.tif", "points": [[x, y]], "output": "similarity.tif", "view": [xmin, ymin, xmax, ymax]}

The first is a run: the arguments of one of `backend.cli.run.MODEL_COMMANDS`, as on the command line. The second is a
question about similarity, whose scene is kept; `backend.cli.similarity_server.Question` says what it may hold. Either
gets the events of a run, the last "result" or "error", after which the worker is ready for the next. A cancel ends the
worker: closing its standard input is heeded by every stage of a run, and by its deadline where a stage can't.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import queue
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from typing import TextIO

from backend.cli.console import told
from backend.cli.options import parse
from backend.cli.run import MODEL_COMMANDS, run_model
from backend.cli.similarity_server import Oracle, Question
from backend.core.cancel import POLL_S, Cancel
from backend.core.errors import Cancelled, InputError, SarDinoError
from backend.core.events import JsonReporter


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
    """Answer until `cancel` is set, or nothing was asked for `idle_s` seconds.

    Raises:
        Cancelled: It was set during an answer.
    """
    oracle, asked, loaded = Oracle(device, cancel), time.monotonic(), False
    while not cancel.is_set() and time.monotonic() - asked < idle_s:
        try:
            line = inbox.lines.get(timeout=POLL_S)
        except queue.Empty:
            # Not before a run that waits already: what it refuses, it refuses at once.
            if not loaded:
                loaded = _load()
            continue
        with cancel.cleanup_scope():
            _answer(line, oracle, JsonReporter(stream), cancel)
        _let_go()
        asked = time.monotonic()


def run_options(line: bytes) -> argparse.Namespace | None:
    """Options of a run; None where the line is no run but a question.

    Raises:
        InputError: Its arguments can't be used.
    """
    try:
        data = json.loads(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or "run" not in data:
        return None
    arguments = data.pop("run")
    if data or not isinstance(arguments, list) or not all(isinstance(text, str) for text in arguments):
        raise InputError("This is no run.", 'Send {"run": [arguments, as on the command line]}, and nothing beside it.')
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            options = parse(arguments)
    except SystemExit as end:
        # Usage before it, and the program's name: neither is of use to who did not type a command.
        last = (said.getvalue().strip().splitlines() or [""])[-1].partition("error: ")[2]
        raise InputError(f"These arguments can't be used: {last or 'they ask for help'}.", "Correct them.") from end
    if options.command not in MODEL_COMMANDS:
        raise InputError(f"A run can't be {options.command}.", f"Wanted is one of {', '.join(MODEL_COMMANDS)}.")
    return options


def _answer(line: bytes, oracle: Oracle, reporter: JsonReporter, cancel: Cancel) -> None:
    try:
        options = run_options(line)
        if options is not None:
            run_model(options, reporter, cancel)
        else:
            oracle.answer(Question.parse(line), reporter)
    except Cancelled:
        raise
    except SarDinoError as refusal:
        reporter.error(refusal)
    except Exception as error:  # one fault must not be the end of all
        reporter.error(told(error))


def _load() -> bool:
    """Import what takes seconds, while the user still looks for a place to click."""
    import backend.engines.pytorch
    import backend.network.weights  # noqa: F401

    return True


def _let_go() -> None:
    """Give memory back: others may want it while nothing is asked, on a graphics card above all."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
