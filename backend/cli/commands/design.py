"""Define the command `design`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, assignments, whole
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="CLASS_MAP", help="raster of classes that is to be validated")
    parser.add_argument("output", metavar="SAMPLES", type=Path, help="GeoJSON of points to write, with a QGIS style")
    parser.add_argument(
        "--standard-error",
        type=float,
        default=0.01,
        metavar="S",
        help="wanted standard error of the overall accuracy (0.01)",
    )
    parser.add_argument(
        "--accuracy", type=float, default=0.8, metavar="SHARE", help="expected user's accuracy of every class (0.8)"
    )
    parser.add_argument(
        "--expected", type=assignments(float, "CLASS=SHARE, such as 80=0.95"), default={}, metavar="CLASS=SHARE,…",
        help="user's accuracy expected of single classes, by value or name, such as 80=0.95,Built-up=0.6",
    )  # fmt: skip
    parser.add_argument(
        "--per-class", type=whole, default=50, metavar="N", help="least number of points of a class (50)"
    )
    parser.add_argument(
        "--distance", type=float, metavar="METRES", help="least distance of two points, 0 for none (5 pixels)"
    )
    parser.add_argument(
        "--ignore", type=int, nargs="+", default=(), metavar="VALUE", help="map values to leave out, besides nodata"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="seed of the draw (0)")
    add_writing(parser)


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.design.command import DesignRequest, design

    design(request_of(DesignRequest, options, ignore=tuple(options.ignore)), context)


DESIGN = Command("design", "draw the points by which a class map is to be validated", _add_options, _run)
