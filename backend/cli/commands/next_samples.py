"""Define the command `nextsamples`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, whole
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    what = "raster of margin, confidence, entropy, disagreement or surroundings, or one that is low where uncertain"
    parser.add_argument("certainty", metavar="MARGIN", help=what)
    parser.add_argument("output", metavar="POINTS", type=Path, help="GeoJSON of points to write, with a QGIS style")
    parser.add_argument("--samples", type=Path, metavar="FILE", help="GeoJSON of the samples so far")
    parser.add_argument(
        "--field", dest="class_field", metavar="NAME", help="their field that holds the class; the points get it too"
    )
    parser.add_argument("--count", type=whole, default=20, metavar="N", help="number of places to choose (20)")
    parser.add_argument(
        "--share", type=float, default=0.25, metavar="SHARE", help="share of the map that counts as uncertain (0.25)"
    )
    add_writing(parser)


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.design.next_command import NextRequest, next_samples

    next_samples(request_of(NextRequest, options), context)


NEXT_SAMPLES = Command("nextsamples", "choose the next samples to label for own classes", _add_options, _run)
