"""What command lines share: options, one-line refusals, exit codes, signals and a parent that may go away."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import traceback
import warnings
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from backend.cancel import EXIT_CANCELLED, Cancel
from backend.errors import Cancelled, SarDinoError
from backend.radiometry import Units
from backend.report import BarReporter, JsonReporter, Reporter

if TYPE_CHECKING:
    from backend.session import Request

NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def plain(text: str) -> str:
    """A negative number such as -1e-05 without its exponent: argparse (before Python 3.14) takes it for an option."""
    return format(Decimal(text), "f") if NEGATIVE.fullmatch(text) else text


def common(parser: argparse.ArgumentParser, output: str = "GeoTIFF to write") -> None:
    """Options of every command that reads a raster with a model and writes something."""
    parser.add_argument("input", metavar="INPUT", help="raster to read")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help=output)
    parser.add_argument("--model", metavar="NAME|DIR", help="name of an installed model, or a model folder")
    parser.add_argument("--bands", type=int, nargs="+", metavar="N", help="band numbers, in the model's order")
    parser.add_argument("--units", choices=[u.value for u in Units], default=Units.AUTO.value, help="of the raster")
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"), help="in the raster's CRS"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--batch-size", type=_batch, default=0, metavar="N", help="tiles at once; 0 chooses")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    progress(parser)


def progress(parser: argparse.ArgumentParser) -> None:
    """How a run tells of itself."""
    parser.add_argument("--progress", choices=("bar", "json", "none"), default="bar")


def _batch(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def request_of(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> Request:
    """What the options of `common` ask for."""
    from backend.session import Request

    return Request(
        input=options.input,
        output=options.output,
        model=options.model,
        bands=options.bands,
        units=Units(options.units),
        extent=options.extent,
        device=options.device,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        reporter=reporter,
        cancel=cancel,
    )


def supervise(run: Callable[[argparse.Namespace, Reporter, Cancel], None], options: argparse.Namespace) -> int:
    """Do what the options say, with a reporter of their `progress` and a cancel that heeds signals.

    Args:
        run: Raises SarDinoError where it refuses or is cancelled.
        options: Parsed command line.

    Returns:
        Exit code: 0 done, 1 refused, 130 cancelled.
    """
    reporters: dict[str, Any] = {"json": lambda: JsonReporter(sys.stdout), "bar": BarReporter, "none": Reporter}
    reporter: Reporter = reporters[options.progress]()
    debug = bool(os.environ.get("SARDINO_DEBUG"))
    if not debug:
        # What libraries have to say would stand between the lines that a user or a program reads.
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
    cancel = Cancel()
    cancel.watch_signals()
    if options.progress == "json":
        cancel.watch_stdin()
    try:
        run(options, reporter, cancel)
    except Cancelled as error:
        reporter.error(error)
        return EXIT_CANCELLED
    except SarDinoError as error:
        reporter.error(error)
        return 1
    except Exception as error:  # the last resort: one line for the user, the rest on demand
        if debug:
            traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        hint = "This is a fault of the program; run again with SARDINO_DEBUG=1 in the environment and report the trace."
        reporter.error(SarDinoError(f"Unexpected {type(error).__name__}: {first}", hint))
        return 1
    return 0


def leave(status: int) -> NoReturn:
    """End the process with an exit code, at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    # All files are closed by now. Taking PyTorch down in good order would keep whoever waits waiting for seconds.
    os._exit(status)
