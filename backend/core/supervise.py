"""Run a command line: one-line refusals, exit codes, signals, and the end of the parent process."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, NoReturn

from backend.core.cancel import EXIT_CANCELLED, Cancel
from backend.core.context import Context
from backend.core.errors import Cancelled, SarDinoError, unforeseen
from backend.core.events import BarReporter, JsonReporter, QuietReporter, Reporter
from backend.core.surroundings import clear_settings

EXIT_REFUSED = 1
# Value of `options.progress` for a process whose warnings another one repeats; no choice on the command line.
SILENT = "silent"
REPORTERS: dict[str, Callable[[], Reporter]] = {
    "bar": BarReporter,
    "json": lambda: JsonReporter(sys.stdout),
    "none": QuietReporter,
    SILENT: Reporter,
}


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Add --progress, which `supervise` reads."""
    choices = tuple(name for name in REPORTERS if name != SILENT)
    parser.add_argument(
        "--progress",
        choices=choices,
        default="bar",
        help="a bar with the time left, one JSON object a line, or warnings and errors alone (bar)",
    )


def supervise(
    run: Callable[[argparse.Namespace, Context], None], options: argparse.Namespace, watch_stdin: bool = True
) -> int:
    """Call `run` with the options and a context: the reporter that `options.progress` names, a cancel that signals set.

    Args:
        run: Raises SarDinoError if it refuses or is cancelled.
        options: Parsed command line.
        watch_stdin: Whether, with progress "json", the end of standard input cancels the run; False if `run` reads
            standard input itself.

    Returns:
        Exit code: 0 done, 1 refused, 130 cancelled.
    """
    clear_settings()
    _fill_descriptors()
    reporter, cancel = REPORTERS[options.progress](), Cancel()
    with _quiet(), cancel.watching_signals():
        if options.progress == "json" and watch_stdin:
            cancel.watch_stdin()
        try:
            run(options, Context(reporter, cancel))
        except Cancelled as error:
            reporter.error(error)
            return EXIT_CANCELLED
        except SarDinoError as error:
            reporter.error(error)
            return EXIT_REFUSED
        except Exception as error:  # the last resort
            reporter.error(as_refusal(error))
            return EXIT_REFUSED
        finally:
            _settle_streams()
    return 0


def _fill_descriptors() -> None:
    """Open standard input, output and error if closed: a library would write messages into the next file."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _settle_streams() -> None:
    """Drop text that standard output or error didn't take: the end of the process would try again, and fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except ValueError:
            continue  # closed
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the messages of libraries within a block, so that only our own lines are shown."""
    with warnings.catch_warnings(), _any_name_printable():
        if _debugging():
            yield
            return
        warnings.simplefilter("ignore")
        handler, hooks = logging.NullHandler(), (sys.unraisablehook, sys.excepthook)
        logging.getLogger().addHandler(handler)
        # rasterio can't decode every message of GDAL, and reports that through either hook.
        sys.unraisablehook, sys.excepthook = lambda fault: None, lambda kind, fault, trace: None
        try:
            yield
        finally:
            sys.unraisablehook, sys.excepthook = hooks
            logging.getLogger().removeHandler(handler)


@contextmanager
def _any_name_printable() -> Iterator[None]:
    """Escape characters that the encoding of standard output lacks: printing a path must not fail a finished run."""
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    before = stream.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        stream.reconfigure(errors=before)


def as_refusal(error: Exception) -> SarDinoError:
    """Turn an unexpected exception into one line for the user; SARDINO_DEBUG=1 also prints the trace."""
    if _debugging():
        traceback.print_exception(type(error), error, error.__traceback__)
    return unforeseen(error)


def _debugging() -> bool:
    return bool(os.environ.get("SARDINO_DEBUG"))


def leave(status: int) -> NoReturn:
    """End the process with an exit code, at once."""
    _settle_streams()
    # All files are closed by now. An orderly exit would spend seconds on PyTorch's teardown.
    os._exit(status)
