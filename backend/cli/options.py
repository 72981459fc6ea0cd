"""What can be said on the command line: commands, their options, and their defaults."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from backend import __version__
from backend.engines.choice import ENGINES
from backend.radiometry.convert import Units

DEVICES = ("auto", "cpu", "cuda", "mps")
GRIDS = ("patch", "input")
# A worker that nobody asks keeps its memory, and a graphics card's, for this long.
IDLE_MINUTES = 5.0
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options as a namespace; ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m backend", description="Land cover and attention from SAR rasters.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    cover = commands.add_parser("landcover", help="map land-cover classes")
    common(cover)
    cover.add_argument("--confidence", type=Path, help="also write the probability of the class (float32)")
    cover.add_argument("--probabilities", type=Path, help="also write the probability of every class, a band each")

    attention = commands.add_parser("attention", help="map what the vision transformer attends to")
    common(attention)
    attention.add_argument("--heads", choices=("mean", "all"), default="mean", help="mean of the heads, or a band each")
    attention.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    attention.add_argument("--mass", type=float, help="share of attention that a mask keeps (0.6)")
    attention.add_argument("--masks", type=Path, help="also write where each head's share of attention lies")

    embed = commands.add_parser("embed", help="write the transformer's features of every patch, a band each")
    common(embed)
    _tokens(embed, "patch")
    embed.add_argument("--pca", type=Path, help="also write the scene's three principal components as RGB (uint8)")

    similar = commands.add_parser("similarity", help="map how similar every place is to some points")
    common(similar)
    for parser_of_maps in (cover, attention, embed, similar):
        _engine(parser_of_maps)
    _tokens(similar, "input")
    similar.add_argument(
        "--point",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        action="append",
        required=True,
        help="in the raster's CRS (of a product longitude and latitude); with several, a place counts by the point "
        "that it is most similar to",
    )

    stays = commands.add_parser("serve", help="stay, and answer runs and questions, a JSON object a line")
    stays.add_argument("--device", choices=DEVICES, default="auto")
    stays.add_argument("--idle-minutes", type=float, default=IDLE_MINUTES, help="end after so long unasked (5)")
    stays.set_defaults(progress="json")

    _accuracy_options(commands.add_parser("accuracy", help="compare a map of classes with a reference"))
    _calibrate_options(commands.add_parser("calibrate", help="calibrate a Sentinel-1 GRD product, on a map grid"))

    info = commands.add_parser("info", help="tell about a raster, a model, or this installation")
    info.add_argument("target", nargs="?", metavar="INPUT|MODEL", help="raster, model name or model folder")
    info.add_argument("--check", action="store_true", help="load the model too, which tells whether it can be used")
    progress(info)
    return parser.parse_args([plain(text) for text in (sys.argv[1:] if arguments is None else arguments)])


def plain(text: str) -> str:
    """A negative number such as -1e-05 without its exponent: argparse (before Python 3.14) takes it for an option."""
    return format(Decimal(text), "f") if NEGATIVE.fullmatch(text) else text


def common(parser: argparse.ArgumentParser, output: str = "GeoTIFF to write") -> None:
    """Options of every command that reads a raster with a model and writes something."""
    kinds = "raster, pattern of several ('S1_*_V?.tif'), or Sentinel-1 GRD product"
    parser.add_argument("input", metavar="INPUT", help=kinds)
    parser.add_argument("output", metavar="OUTPUT", type=Path, help=output)
    parser.add_argument("--model", metavar="NAME|DIR", help="name of an installed model, or a model folder")
    parser.add_argument(
        "--with", dest="further", action="append", default=[], metavar="FILE",
        help="another raster of the same scene, such as the other polarisation; its bands follow (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--bands", type=_whole, nargs="+", metavar="N", help="band numbers, in the model's order; 0 for a missing one"
    )
    parser.add_argument("--units", choices=[u.value for u in Units], default=Units.AUTO.value, help="of the raster")
    parser.add_argument(
        "--extent",
        type=float,
        nargs=4,
        metavar=("XMIN", "YMIN", "XMAX", "YMAX"),
        help="in the raster's CRS; of a product longitude, latitude",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--batch-size", type=_whole, default=0, metavar="N", help="tiles at once; 0 chooses")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    progress(parser)


def _engine(parser: argparse.ArgumentParser) -> None:
    what = "what computes the model; auto takes OpenVINO on a processor where it gains, openvino-int8 is fastest"
    parser.add_argument("--engine", choices=ENGINES, default="auto", help=what)


def _accuracy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="MAP", help="raster of classes")
    parser.add_argument("reference", metavar="REFERENCE", help="raster of classes, or GeoJSON of points and polygons")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="HTML report to write")
    parser.add_argument("--json", type=Path, help="also write every figure as JSON")
    parser.add_argument("--csv", type=Path, help="also write the matrix of pixels as CSV")
    parser.add_argument("--field", metavar="NAME", help="field of the vector that holds the class (value or name)")
    parser.add_argument("--remap", type=_mapping, default={}, metavar="OLD=NEW,…", help="reference value to map value")
    parser.add_argument("--ignore-map", type=int, nargs="+", default=[], metavar="VALUE", help="beside nodata")
    parser.add_argument("--ignore-reference", type=int, nargs="+", default=[], metavar="VALUE", help="beside nodata")
    parser.add_argument("--sample", type=_whole, default=0, metavar="N", help="pixels to draw from a reference raster")
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="of the draw (0)")
    parser.add_argument("--reference-name", metavar="TEXT", help="what the report calls the reference")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    progress(parser)


def _calibrate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="product as downloaded: .SAFE folder, its manifest.safe, or zip")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoTIFF to write, in UTM (WGS 84)")
    parser.add_argument("--product", choices=("gamma0", "sigma0"), default="gamma0", help="of backscatter (gamma0)")
    parser.add_argument("--units", choices=("linear_power", "db"), default="linear_power", help="of the output")
    parser.add_argument("--pixel-size", type=float, metavar="METRES", help="of the output; default: the product's")
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("WEST", "SOUTH", "EAST", "NORTH"), help="longitude and latitude"
    )
    parser.add_argument("--dem", metavar="PATH", help="elevation model, to correct positions for the terrain")
    parser.add_argument(
        "--dem-heights", choices=("geoid", "ellipsoid"), default="geoid",
        help="what its heights count from: geoid (mean sea level; SRTM, Copernicus and most others), or ellipsoid",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    progress(parser)


def _mapping(text: str) -> dict[str, int]:
    """Read "1=80,Forest=10" as a table; the new value follows the last equals sign of each part."""
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        old, equals, new = part.rpartition("=")
        try:
            found[old.strip()] = int(new)
        except ValueError:
            equals = ""
        if not equals or not old.strip():
            raise argparse.ArgumentTypeError(f"{part!r} is not OLD=NEW, such as 1=80")
    return found


def _tokens(parser: argparse.ArgumentParser, grid: str) -> None:
    parser.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    parser.add_argument(
        "--grid",
        choices=GRIDS,
        default=grid,
        help=f"of the output: a pixel for each patch of the model (there is one value for a patch; for the bundled "
        f"model 8 x 8 pixels of 10 m), or the input's own, interpolated; default {grid}",
    )


def progress(parser: argparse.ArgumentParser) -> None:
    """How a run tells of itself."""
    parser.add_argument("--progress", choices=("bar", "json", "none"), default="bar")


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
