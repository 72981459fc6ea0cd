"""The command line: maps, embeddings, similarity, accuracy, calibration, and facts about rasters and models."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, Callable

from backend.cancel import EXIT_CANCELLED, Cancel
from backend.errors import Cancelled, SarDinoError, unforeseen
from backend.options import parse
from backend.radiometry import Units
from backend.report import BarReporter, JsonReporter, Reporter


def run(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Do what the options say.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    if options.command == "info":
        return _info(options, reporter)
    if options.command == "accuracy":
        return _accuracy(options, reporter, cancel)
    if options.command == "calibrate":
        return _calibrate(options, reporter, cancel)
    if options.command == "serve":
        return _serve(options, cancel)
    from backend import embed, predict, similarity
    from backend.session import Request

    request = Request(
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
    given = options
    commands: dict[str, Callable[[], object]] = {
        "landcover": lambda: predict.landcover(request, given.confidence, given.probabilities),
        "attention": lambda: predict.attention(request, given.heads, given.block, given.mass, given.masks),
        "embed": lambda: embed.embed(request, given.block, given.grid, given.pca),
        "similarity": lambda: similarity.similarity(request, given.point, given.block, given.grid),
    }
    commands[given.command]()


def _accuracy(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.accuracy import AccuracyRequest, accuracy

    accuracy(
        AccuracyRequest(
            map=options.map,
            reference=options.reference,
            output=options.output,
            json=options.json,
            csv=options.csv,
            class_field=options.field,
            mapping=options.remap,
            ignore_map=options.ignore_map,
            ignore_reference=options.ignore_reference,
            sample=options.sample,
            seed=options.seed,
            reference_name=options.reference_name,
            overwrite=options.overwrite,
            reporter=reporter,
            cancel=cancel,
        )
    )


def _calibrate(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.grd.command import calibrate
    from backend.grd.passes import CalibrateRequest

    calibrate(
        CalibrateRequest(
            input=options.input,
            output=options.output,
            quantity=options.product,
            units=options.units,
            pixel_size=options.pixel_size,
            extent=options.extent,
            overwrite=options.overwrite,
            reporter=reporter,
            cancel=cancel,
        )
    )


def _info(options: argparse.Namespace, reporter: Reporter) -> None:
    from backend import info

    facts = info.describe(options.target)
    if options.progress == "json":
        reporter.result(facts)
    else:
        print("\n".join(info.as_lines(facts)))


def _serve(options: argparse.Namespace, cancel: Cancel) -> None:
    from backend.serve import Inbox, serve

    inbox = Inbox()
    cancel.watch_stdin(inbox.take)
    serve(inbox, sys.stdout, cancel, options.device, options.idle_minutes * 60)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused, 130 cancelled (2, wrong usage, ends the process inside argparse)."""
    options = parse(arguments)
    reporters: dict[str, Any] = {"json": lambda: JsonReporter(sys.stdout), "bar": BarReporter, "none": Reporter}
    reporter: Reporter = reporters[options.progress]()
    debug = bool(os.environ.get("SARDINO_DEBUG"))
    if not debug:
        # What libraries have to say would stand between the lines that a user or a program reads.
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
    cancel = Cancel()
    cancel.watch_signals()
    if options.progress == "json" and options.command != "serve":
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
        reporter.error(unforeseen(error))
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All files are closed by now. Taking PyTorch down in good order would keep whoever waits waiting for seconds.
    os._exit(status)
