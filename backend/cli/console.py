"""What command lines share once options are read: one-line refusals, exit codes, signals, a parent that may go."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from backend.core.cancel import EXIT_CANCELLED, Cancel
from backend.core.errors import Cancelled, SarDinoError, unforeseen
from backend.core.events import BarReporter, JsonReporter, Reporter
from backend.radiometry.convert import Units

if TYPE_CHECKING:
    from backend.maps.request import Request


def request_of(options: argparse.Namespace) -> Request:
    """What the options of `options.common` ask for."""
    from backend.maps.request import Request

    return Request(
        input=options.input,
        further=options.further,
        output=options.output,
        model=options.model,
        bands=options.bands,
        units=Units(options.units),
        extent=options.extent,
        device=options.device,
        engine=getattr(options, "engine", "auto"),  # training has no choice
        batch_size=options.batch_size,
        overwrite=options.overwrite,
    )


def supervise(
    run: Callable[[argparse.Namespace, Reporter, Cancel], None], options: argparse.Namespace, watch_stdin: bool = True
) -> int:
    """Do what the options say, with a reporter of their `progress` and a cancel that heeds signals.

    Args:
        run: Raises SarDinoError where it refuses or is cancelled.
        options: Parsed command line.
        watch_stdin: Whether a program that reads the events (progress "json") ends the run by closing standard input;
            not where `run` reads it itself.

    Returns:
        Exit code: 0 done, 1 refused, 130 cancelled.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that a terminal can't show must not make a fault of what went well.
        sys.stdout.reconfigure(errors="backslashreplace")
    reporters: dict[str, Any] = {"json": lambda: JsonReporter(sys.stdout), "bar": BarReporter, "none": Reporter}
    reporter: Reporter = reporters[options.progress]()
    if not _debugging():
        # What libraries have to say would stand between the lines that a user or a program reads.
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
        # rasterio can't read every message of GDAL's, and tells so in either way.
        sys.unraisablehook = lambda fault: None
        sys.excepthook = lambda kind, fault, trace: None
    cancel = Cancel()
    cancel.watch_signals()
    if options.progress == "json" and watch_stdin:
        cancel.watch_stdin()
    try:
        run(options, reporter, cancel)
    except Cancelled as error:
        reporter.error(error)
        return EXIT_CANCELLED
    except SarDinoError as error:
        reporter.error(error)
        return 1
    except Exception as error:  # the last resort
        reporter.error(told(error))
        return 1
    return 0


def told(error: Exception) -> SarDinoError:
    """What a user is told of a fault of the program: one line, the rest on demand."""
    if _debugging():
        traceback.print_exception(type(error), error, error.__traceback__)
    return unforeseen(error)


def _debugging() -> bool:
    return bool(os.environ.get("SARDINO_DEBUG"))


def leave(status: int) -> NoReturn:
    """End the process with an exit code, at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    # All files are closed by now. Taking PyTorch down in good order would keep whoever waits waiting for seconds.
    os._exit(status)
