"""Define the command `calibrate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_slopes, add_writing
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="product as downloaded: .SAFE folder, its manifest.safe, or zip")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoTIFF to write, in UTM (WGS 84)")
    parser.add_argument(
        "--product",
        dest="quantity",
        choices=("gamma0", "sigma0"),
        default="gamma0",
        help="kind of backscatter (gamma0)",
    )
    parser.add_argument("--units", choices=("linear_power", "db"), default="linear_power", help="units of the output")
    parser.add_argument(
        "--pixel-size", type=float, metavar="METRES", help="pixel size of the output; default: the product's"
    )
    parser.add_argument(
        "--extent",
        type=float,
        nargs=4,
        metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="area to calibrate, in longitude and latitude",
    )
    add_slopes(parser)
    parser.add_argument(
        "--incidence", type=Path, metavar="PATH", help="also write local incidence angles in degrees; needs --dem"
    )
    parser.add_argument("--mask", type=Path, metavar="PATH", help="also write layover and shadow; needs --dem")
    add_writing(parser, "an existing output")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.grd.command import calibrate
    from backend.grd.request import CalibrateRequest

    calibrate(request_of(CalibrateRequest, options), context)


CALIBRATE = Command("calibrate", "calibrate a Sentinel-1 GRD product, on a map grid", _add_options, _run)
