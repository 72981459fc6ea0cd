"""The command line: maps, embeddings, similarity, accuracy, calibration, and facts about rasters and models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from backend.cli.console import leave, supervise
from backend.cli.options import parse
from backend.core.cancel import Cancel
from backend.core.events import Reporter


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
    from backend.cli.run import run_model
    from backend.maps.request import Context

    run_model(options, Context(reporter, cancel))


def _accuracy(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.accuracy.command import AccuracyRequest, accuracy

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
    from backend.grd.pipeline import CalibrateRequest

    calibrate(
        CalibrateRequest(
            input=options.input,
            output=options.output,
            quantity=options.product,
            units=options.units,
            pixel_size=options.pixel_size,
            extent=options.extent,
            dem=options.dem,
            dem_heights=options.dem_heights,
            overwrite=options.overwrite,
            reporter=reporter,
            cancel=cancel,
        )
    )


def _info(options: argparse.Namespace, reporter: Reporter) -> None:
    from backend.cli import info

    facts = info.describe_checked(options.target) if options.check else info.describe(options.target)
    if options.progress == "json":
        reporter.result(facts)
    else:
        print("\n".join(info.as_lines(facts)))


def _serve(options: argparse.Namespace, cancel: Cancel) -> None:
    from backend.cli.serve import Inbox, serve

    inbox = Inbox()
    cancel.watch_stdin(inbox.take)
    serve(inbox, sys.stdout, cancel, options.device, options.idle_minutes * 60)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused, 130 cancelled (2, wrong usage, ends the process inside argparse)."""
    options = parse(arguments)
    return supervise(run, options, watch_stdin=options.command != "serve")


if __name__ == "__main__":
    leave(main())
