"""Define the command `info`."""

from __future__ import annotations

import argparse

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_reading
from backend.core.context import Context
from backend.core.events import print_lines
from backend.core.supervise import add_progress
from backend.radiometry.units import Units


def _add_options(parser: argparse.ArgumentParser) -> None:
    what = "raster, pattern of several ('S1_*_V?.tif'), Sentinel-1 product, model name or model folder"
    parser.add_argument("target", nargs="?", metavar="INPUT|MODEL", help=what)
    parser.add_argument("--check", action="store_true", help="also load the model, to check that it can be used")
    add_reading(parser)
    add_progress(parser)


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.cli import info

    asked = request_of(info.Asked, options, units=Units(options.units))
    facts = (info.describe_checked if options.check else info.describe)(options.target, asked)
    if options.progress == "json":
        context.reporter.result(facts)
    else:
        print_lines(info.as_lines(facts))


INFO = Command("info", "describe a raster, a model, or this installation", _add_options, _run)
