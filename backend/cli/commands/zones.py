"""Define the command `zones`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.core.cancel import Cancel
from backend.core.events import Reporter
from backend.core.supervise import add_progress


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
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    add_progress(parser)


def _run(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.vectors.zones.command import ZonesRequest, zones

    zones(request_of(ZonesRequest, options, reporter=reporter, cancel=cancel))


ZONES = Command("zones", "measure the classes of a map in polygons", _add_options, _run)
