"""The command line: land cover, attention, and facts about rasters, models and the installation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backend import __version__
from backend.cancel import Cancel
from backend.console import common as _common
from backend.console import leave, plain, request_of, supervise
from backend.console import progress as _progress
from backend.report import Reporter


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options as a namespace; ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m backend", description="Land cover and attention from SAR rasters.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    cover = commands.add_parser("landcover", help="map land-cover classes")
    _common(cover)
    cover.add_argument("--confidence", type=Path, help="also write the probability of the class (float32)")
    cover.add_argument("--probabilities", type=Path, help="also write the probability of every class, a band each")

    attention = commands.add_parser("attention", help="map what the vision transformer attends to")
    _common(attention)
    attention.add_argument("--heads", choices=("mean", "all"), default="mean", help="mean of the heads, or a band each")
    attention.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    attention.add_argument("--mass", type=float, default=0.6, help="share of attention that a mask keeps (0.6)")
    attention.add_argument("--masks", type=Path, help="also write where each head's share of attention lies")

    info = commands.add_parser("info", help="tell about a raster, a model, or this installation")
    info.add_argument("target", nargs="?", metavar="INPUT|MODEL", help="raster, model name or model folder")
    _progress(info)
    return parser.parse_args([plain(text) for text in (sys.argv[1:] if arguments is None else arguments)])


def run(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Do what the options say.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    if options.command == "info":
        return _info(options, reporter)
    from backend import predict

    request = request_of(options, reporter, cancel)
    if options.command == "landcover":
        predict.landcover(request, options.confidence, options.probabilities)
    else:
        predict.attention(request, options.heads, options.block, options.mass, options.masks)


def _info(options: argparse.Namespace, reporter: Reporter) -> None:
    from backend import info

    facts = info.describe(options.target)
    if options.progress == "json":
        reporter.result(facts)
    else:
        print("\n".join(info.as_lines(facts)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused, 130 cancelled (2, wrong usage, ends the process inside argparse)."""
    return supervise(run, parse(arguments))


if __name__ == "__main__":
    leave(main())
