"""Define the command `polygons`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="CLASS_MAP", help="raster of classes")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoPackage (.gpkg) or GeoJSON (.geojson) to write")
    parser.add_argument(
        "--min-area",
        type=float,
        default=0.0,
        metavar="M2",
        help="join patches smaller than this, in m2, to the neighbour with which they have the longest border",
    )
    parser.add_argument(
        "--confidence", metavar="RASTER", help="raster of the map's confidence, whose mean each polygon gets"
    )
    parser.add_argument(
        "--simplify",
        type=float,
        default=0.0,
        metavar="METRES",
        help="metres by which borders may move to have fewer points; neighbours keep one border",
    )
    add_writing(parser, "an existing output")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.vectors.polygons_command import PolygonsRequest, polygons

    polygons(request_of(PolygonsRequest, options), context)


POLYGONS = Command("polygons", "turn a class map into polygons", _add_options, _run)
