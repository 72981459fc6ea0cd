"""Define the command `zones`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="CLASS_MAP", help="raster of classes")
    parser.add_argument("polygons", metavar="POLYGONS", help="GeoJSON of polygons")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="CSV (.csv) or GeoJSON (.geojson) to write")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="JSON",
        help="accuracy report of the map (of `accuracy --json`), for corrected areas with confidence intervals",
    )
    add_writing(parser, "an existing output")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.vectors.zones.command import ZonesRequest, zones

    zones(request_of(ZonesRequest, options), context)


ZONES = Command("zones", "measure the classes of a map in polygons", _add_options, _run)
