"""Define the command `composite`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, whole
from backend.core.context import Context
from backend.radiometry.units import Units

STATISTICS = ("mean", "median", "min", "max", "std", "count")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoTIFF to write")
    what = "raster, pattern of several ('S1_*.tif'), or Sentinel-1 GRD product; all of one place"
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help=what)
    parser.add_argument(
        "--statistics", nargs="+", choices=STATISTICS, metavar="NAME",
        help=f"of {', '.join(STATISTICS)} (mean); in linear power, std in dB",
    )  # fmt: skip
    parser.add_argument(
        "--period",
        choices=("all", "season", "month"),
        default="all",
        help="one composite of all dates, or of each period",
    )
    parser.add_argument(
        "--filter", action="store_true", help="write the dates themselves, with less speckle (Quegan and Yu 2001)"
    )
    parser.add_argument(
        "--bands", type=whole, nargs=2, metavar="N", help="numbers of VV and VH in each raster; 0 for a missing one"
    )
    units = [unit.value for unit in Units]
    parser.add_argument(
        "--units", choices=units, default=Units.AUTO.value, help="units of the rasters; auto decides for each"
    )
    parser.add_argument("--output-units", choices=("db", "linear_power"), default="db", help="units of the output (db)")
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"),
        help="area of the output, in the first raster's CRS; for a product in longitude and latitude",
    )  # fmt: skip
    parser.add_argument(
        "--accept-values", action="store_true", help="also use values that can't be backscatter (with a warning)"
    )
    add_writing(parser, "an existing output")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.series.command import CompositeRequest, composite

    units = Units(options.units)
    composite(request_of(CompositeRequest, options, units=units), context)


COMPOSITE = Command("composite", "make one raster of several dates", _add_options, _run)
