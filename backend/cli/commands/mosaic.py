"""Define the command `mosaic`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, whole
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", metavar="MANIFEST", type=Path, help="manifest.csv of an archive of land cover")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="folder for the tiles")
    parser.add_argument(
        "--by", dest="rule", choices=("probability", "date", "votes"), default="probability",
        help="what decides where maps overlap: summed probabilities, the newest map, or most maps",
    )  # fmt: skip
    parser.add_argument(
        "--feather", type=whole, default=0, metavar="PIXELS", help="pixels over which maps fade out towards their edges"
    )
    parser.add_argument("--confidence", action="store_true", help="also write the share of the class (bytes)")
    parser.add_argument("--crs", metavar="CRS", help="CRS of your own tiles, such as EPSG:3035; default: UTM, 100 km")
    parser.add_argument("--size", type=float, metavar="UNITS", help="side of your tiles, in units of --crs")
    parser.add_argument(
        "--origin",
        type=float,
        nargs=2,
        default=(0.0, 0.0),
        metavar=("X", "Y"),
        help="coordinates of a corner of your tiles (0 0)",
    )
    parser.add_argument(
        "--pixel-size", type=float, metavar="UNITS", help="pixel size of the tiles; default: that of the maps"
    )
    add_writing(parser, "older tiles")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.mosaic.command import MosaicRequest, mosaic

    mosaic(request_of(MosaicRequest, options), context)


MOSAIC = Command("mosaic", "put the maps of an archive onto tiles of a grid", _add_options, _run)
