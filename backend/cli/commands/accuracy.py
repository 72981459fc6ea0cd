"""Define the command `accuracy`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, assignments, whole
from backend.core.context import Context

REMAP = assignments(int, "OLD=NEW, such as 1=80")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="MAP", help="raster of classes")
    parser.add_argument("reference", metavar="REFERENCE", help="raster of classes, or GeoJSON of points and polygons")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="HTML report to write")
    parser.add_argument("--json", type=Path, help="also write every figure as JSON")
    parser.add_argument("--csv", type=Path, help="also write the matrix of pixels as CSV")
    parser.add_argument(
        "--field", dest="class_field", metavar="NAME", help="field of the vector that holds the class (value or name)"
    )
    parser.add_argument(
        "--remap",
        dest="mapping",
        type=REMAP,
        default={},
        metavar="OLD=NEW,…",
        help="map values to use for reference values, such as 1=80,2=10",
    )
    ignored = "values to leave out, in addition to nodata"
    parser.add_argument("--ignore-map", type=int, nargs="+", default=[], metavar="VALUE", help=ignored)
    parser.add_argument("--ignore-reference", type=int, nargs="+", default=[], metavar="VALUE", help=ignored)
    parser.add_argument(
        "--sample", type=whole, default=0, metavar="N", help="number of pixels to draw from a reference raster"
    )
    parser.add_argument("--seed", type=whole, metavar="N", help="seed of the draw (0); needs --sample")
    parser.add_argument("--reference-name", metavar="TEXT", help="name of the reference in the report")
    add_writing(parser)


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.accuracy.command import AccuracyRequest, accuracy

    accuracy(request_of(AccuracyRequest, options), context)


ACCURACY = Command("accuracy", "compare a class map with a reference", _add_options, _run)
