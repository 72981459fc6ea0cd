"""Define the command `design`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import whole
from backend.core.context import Context
from backend.core.supervise import add_progress


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="CLASS_MAP", help="raster of classes that is to be validated")
    parser.add_argument("output", metavar="SAMPLES", type=Path, help="GeoJSON of points to write, with a QGIS style")
    parser.add_argument(
        "--standard-error", type=float, default=0.01, metavar="S", help="wanted of the overall accuracy (0.01)"
    )
    parser.add_argument(
        "--accuracy", type=float, default=0.8, metavar="SHARE", help="user's accuracy expected of every class (0.8)"
    )
    parser.add_argument(
        "--expected", type=_expected, default={}, metavar="CLASS=SHARE,…",
        help="user's accuracy expected of single classes, by value or name, such as 80=0.95,Built-up=0.6",
    )  # fmt: skip
    parser.add_argument("--per-class", type=whole, default=50, metavar="N", help="points of a rare class (50)")
    parser.add_argument(
        "--distance", type=float, metavar="METRES", help="least distance of two points, 0 for none (5 pixels)"
    )
    parser.add_argument(
        "--ignore", type=int, nargs="+", default=(), metavar="VALUE", help="map values to leave out, besides nodata"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the draw (0)")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    add_progress(parser)


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.design.command import DesignRequest, design

    design(request_of(DesignRequest, options, ignore=tuple(options.ignore)), context)


def _expected(text: str) -> dict[str, float]:
    """Parse "80=0.95,Built-up=0.6"; the share follows the last equals sign of each part."""
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, share = part.rpartition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise argparse.ArgumentTypeError(f"{part!r} is not CLASS=SHARE, such as 80=0.95")
    return found


DESIGN = Command("design", "draw the points by which a class map is to be validated", _add_options, _run)
