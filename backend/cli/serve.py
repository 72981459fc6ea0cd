"""Run the warm worker: it answers runs and similarity queries one after another, a JSON object a line.

    {"run": ["landcover", "scene.tif", "map.tif", "--overwrite"]}
    {"input": "scene.tif", "points": [[x, y]], "output": "similarity.tif", "view": [xmin, ymin, xmax, ymax]}

The first is a run: the arguments of a command in `backend.cli.commands.model_runs.MODEL_RUNS`, as on the command line.
The second is a similarity query, whose scene stays in a cache; `backend.cli.similarity_query.Query` defines its keys.
Both give the events of a run, the last "result" or "error", after which the worker is ready for the next. A cancel,
such as the end of standard input, ends the worker.
"""

from __future__ import annotations

import argparse
import gc
import io
import queue
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from typing import TextIO

from backend.cli.commands.model_runs import MODEL_RUNS, run_model
from backend.cli.options import parse
from backend.cli.similarity_query import Query, check_texts
from backend.cli.similarity_server import SimilarityServer
from backend.core.cancel import POLL_S, Cancel
from backend.core.errors import Cancelled, InputError, SarDinoError
from backend.core.events import JsonReporter
from backend.core.plain_json import parse_json
from backend.core.supervise import as_refusal
from backend.maps.load import ModelCache
from backend.maps.request import MapContext

# Longest line that is answered; runs and queries take a few hundred bytes.
LINE_BYTES = 2**20


class TooLong:
    """Stand for a line that was too long to be kept."""


class Inbox:
    """Split incoming bytes into lines; one longer than LINE_BYTES becomes a TooLong as soon as that is known."""

    def __init__(self) -> None:
        self.lines: queue.Queue[bytes | TooLong] = queue.Queue()
        self._pieces: list[bytes] = []
        self._length = 0

    def take(self, chunk: bytes) -> None:
        """Add bytes; complete lines go to the queue `lines`. Takes time in proportion to the bytes."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._add(end)
            line = b"".join(self._pieces)
            if self._length <= LINE_BYTES and line.strip():
                self.lines.put(line)
            self._pieces, self._length = [], 0
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        before, self._length = self._length, self._length + len(piece)
        if self._length <= LINE_BYTES:
            self._pieces += [piece] if piece else []
        elif before <= LINE_BYTES:
            self._pieces = []
            self.lines.put(TooLong())


def serve(inbox: Inbox, stream: TextIO, cancel: Cancel, device: str, idle_s: float) -> None:
    """Answer lines until `cancel` is set, or none came for `idle_s` seconds.

    Args:
        inbox: Lines to answer.
        stream: Receives the events.
        cancel: Ends the worker.
        device: Device of queries, and of runs that name none.
        idle_s: Seconds without a line after which the worker ends.

    Raises:
        Cancelled: `cancel` was set during an answer.
    """
    models = ModelCache()
    server, asked, loaded = SimilarityServer(device, cancel, models), time.monotonic(), False
    while not cancel.is_set() and time.monotonic() - asked < idle_s:
        try:
            line = inbox.lines.get(timeout=POLL_S)
        except queue.Empty:
            # Only while no line waits: a run that is refused doesn't wait for these imports.
            if not loaded:
                loaded = _preload(device)
            continue
        with cancel.cleanup_scope():
            _answer(line, server, MapContext(JsonReporter(stream), cancel, models), device)
        _free_memory()
        asked = time.monotonic()


def run_options(line: bytes) -> argparse.Namespace | None:
    """Return the options of a run; None if the line is a similarity query.

    Raises:
        InputError: Its arguments can't be used.
    """
    try:
        data = parse_json(line)
    except ValueError:
        return None
    if not isinstance(data, dict) or "run" not in data:
        return None
    arguments = data.pop("run")
    if data or not isinstance(arguments, list) or not all(isinstance(text, str) for text in arguments):
        hint = 'Send {"run": [arguments, as on the command line]}, without other keys.'
        raise InputError("This line is not a run.", hint)
    check_texts(arguments)
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            options = parse(arguments)
    except SystemExit as end:
        # Without the usage text and the program's name, which are noise for a caller that typed no command.
        last = (said.getvalue().strip().splitlines() or [""])[-1].partition("error: ")[2]
        raise InputError(
            f"These arguments can't be used: {last or 'they ask for help or the version'}.", "Correct them."
        ) from end
    known = [command.name for command in MODEL_RUNS]
    if options.command not in known:
        raise InputError(f"A warm worker can't run {options.command}.", f"Use one of {', '.join(known)}.")
    return options


def _answer(line: bytes | TooLong, server: SimilarityServer, context: MapContext, device: str) -> None:
    try:
        if isinstance(line, TooLong):
            raise InputError(f"A line is longer than {LINE_BYTES} bytes.", "Send shorter lines.")
        options = run_options(line)
        if options is not None:
            if options.device == "auto":
                options.device = device
            run_model(options, context)
        else:
            server.answer(Query.parse(line), context.reporter)
    except Cancelled:
        raise
    except SarDinoError as refusal:
        context.reporter.error(refusal)
    except Exception as error:  # a fault in one answer must not end the worker
        context.reporter.error(as_refusal(error))


def _preload(device: str) -> bool:
    """Import the modules that take time, before the first run or query."""
    from backend.engines.factory import Wanted, preload

    preload(Wanted(device=device))
    return True


def _free_memory() -> None:
    """Return memory to the system and the graphics card while the worker is idle."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
