"""Command-line options: the commands, their options, and the defaults."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Callable

from backend import __version__
from backend.core.supervise import add_progress
from backend.engines.choice import ENGINES
from backend.radiometry.units import Units

DEVICES = ("auto", "cpu", "cuda", "mps")
GRIDS = ("patch", "input")
# An idle warm worker keeps its memory, and that of a graphics card, for this long.
IDLE_MINUTES = 5.0
# Options that refine another one: the option they need, and their default. Without that option they are refused.
REFINING = {"mass": ("masks", None), "seed": ("sample", 0), "dem_heights": ("dem", "geoid")}
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    prog = "sardino" if Path(sys.argv[0]).stem == "sardino" else "python -m backend"
    parser = argparse.ArgumentParser(prog=prog, description="Land cover and attention from SAR rasters.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (help_text, add_options) in COMMANDS.items():
        add_options(commands.add_parser(name, help=help_text))
    options = parser.parse_args([plain(text) for text in (sys.argv[1:] if arguments is None else arguments)])
    for name, (needed, default) in REFINING.items():
        if name not in options:
            continue
        if getattr(options, name) is None:
            setattr(options, name, default)
        elif not getattr(options, needed):
            parser.error(f"--{name.replace('_', '-')} has no effect without --{needed}; add that, or leave it out")
    return options


def plain(text: str) -> str:
    """Write a negative number such as -1e-05 without exponent: argparse (before Python 3.14) takes it for an option."""
    return format(Decimal(text), "f") if NEGATIVE.fullmatch(text) else text


def _landcover(parser: argparse.ArgumentParser) -> None:
    _model_options(parser)
    _engine(parser)
    parser.add_argument("--confidence", type=Path, help="also write the probability of the class (float32)")
    parser.add_argument("--probabilities", type=Path, help="also write the probability of every class, a band each")


def _attention(parser: argparse.ArgumentParser) -> None:
    _model_options(parser)
    _engine(parser)
    parser.add_argument("--heads", choices=("mean", "all"), default="mean", help="mean of the heads, or a band each")
    parser.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    parser.add_argument("--mass", type=float, help="share of attention that a mask keeps (0.6); needs --masks")
    parser.add_argument("--masks", type=Path, help="also write where each head's share of attention lies")


def _embed(parser: argparse.ArgumentParser) -> None:
    _model_options(parser)
    _engine(parser)
    _tokens(parser, "patch")
    parser.add_argument("--pca", type=Path, help="also write the scene's three principal components as RGB (uint8)")


def _similarity(parser: argparse.ArgumentParser) -> None:
    _model_options(parser)
    _engine(parser)
    _tokens(parser, "input")
    parser.add_argument(
        "--point", type=float, nargs=2, metavar=("X", "Y"), action="append", required=True,
        help="in the raster's CRS (of a product longitude and latitude); with several, the most similar point counts",
    )  # fmt: skip


def _train(parser: argparse.ArgumentParser) -> None:
    _model_options(parser, output="model folder to write")
    parser.add_argument("--samples", type=Path, required=True, metavar="FILE", help="GeoJSON of points or polygons")
    parser.add_argument("--field", required=True, help="field of the samples that holds the class")
    parser.add_argument("--legend", type=Path, metavar="FILE", help="JSON with names and colours of classes")
    parser.add_argument("--title", default="", help="title of the model; default: the name of its folder")
    parser.add_argument("--no-check", action="store_true", help="don't measure the accuracy on held-out samples")


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=DEVICES, default="auto", help="of queries, and of runs that name none")
    parser.add_argument(
        "--idle-minutes", type=float, default=IDLE_MINUTES, help="end after so many minutes without a run or query (5)"
    )
    parser.set_defaults(progress="json")


def _accuracy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("map", metavar="MAP", help="raster of classes")
    parser.add_argument("reference", metavar="REFERENCE", help="raster of classes, or GeoJSON of points and polygons")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="HTML report to write")
    parser.add_argument("--json", type=Path, help="also write every figure as JSON")
    parser.add_argument("--csv", type=Path, help="also write the matrix of pixels as CSV")
    parser.add_argument(
        "--field", dest="class_field", metavar="NAME", help="field of the vector that holds the class (value or name)"
    )
    parser.add_argument(
        "--remap", dest="mapping", type=_mapping, default={}, metavar="OLD=NEW,…", help="reference value to map value"
    )
    ignored = "values to leave out, in addition to nodata"
    parser.add_argument("--ignore-map", type=int, nargs="+", default=[], metavar="VALUE", help=ignored)
    parser.add_argument("--ignore-reference", type=int, nargs="+", default=[], metavar="VALUE", help=ignored)
    parser.add_argument("--sample", type=_whole, default=0, metavar="N", help="pixels to draw from a reference raster")
    parser.add_argument("--seed", type=_whole, metavar="N", help="of the draw (0); needs --sample")
    parser.add_argument("--reference-name", metavar="TEXT", help="what the report calls the reference")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    add_progress(parser)


def _calibrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="product as downloaded: .SAFE folder, its manifest.safe, or zip")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoTIFF to write, in UTM (WGS 84)")
    parser.add_argument(
        "--product", dest="quantity", choices=("gamma0", "sigma0"), default="gamma0", help="of backscatter (gamma0)"
    )
    parser.add_argument("--units", choices=("linear_power", "db"), default="linear_power", help="of the output")
    parser.add_argument("--pixel-size", type=float, metavar="METRES", help="of the output; default: the product's")
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("WEST", "SOUTH", "EAST", "NORTH"), help="longitude and latitude"
    )
    parser.add_argument("--dem", metavar="PATH", help="elevation model, to correct positions for the terrain")
    parser.add_argument(
        "--dem-heights", choices=("geoid", "ellipsoid"),
        help="zero level of the heights: geoid (mean sea level, the default; SRTM, Copernicus and most others) or "
        "ellipsoid; needs --dem",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    add_progress(parser)


def _info(parser: argparse.ArgumentParser) -> None:
    what = "raster, pattern of several ('S1_*_V?.tif'), Sentinel-1 product, model name or model folder"
    parser.add_argument("target", nargs="?", metavar="INPUT|MODEL", help=what)
    parser.add_argument("--check", action="store_true", help="also load the model, to check that it can be used")
    _reading(parser)
    add_progress(parser)


def _card(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", metavar="MODEL", help="name of an installed model, or a model folder")
    parser.add_argument("--mlm", action="store_true", help="as a STAC item with the machine learning model extension")
    parser.add_argument("--output", type=Path, metavar="PATH", help="file to write; default: print")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    add_progress(parser)


# Name, help text, and what adds the options of each command.
COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "landcover": ("map land-cover classes", _landcover),
    "attention": ("map what the vision transformer attends to", _attention),
    "embed": ("write the transformer's features of every patch, a band each", _embed),
    "similarity": ("map how similar every place is to some points", _similarity),
    "train": ("learn your own classes from samples; write a model that landcover maps with", _train),
    "serve": ("run as a warm worker: answer runs and queries, a JSON object a line", _serve),
    "accuracy": ("compare a class map with a reference", _accuracy),
    "calibrate": ("calibrate a Sentinel-1 GRD product, on a map grid", _calibrate),
    "info": ("describe a raster, a model, or this installation", _info),
    "card": ("print or write the card of a model as JSON, or as a STAC item", _card),
}


def _reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a raster is read."""
    parser.add_argument("--model", metavar="NAME|DIR", help="name of an installed model, or a model folder")
    parser.add_argument(
        "--with", dest="further", action="append", default=[], metavar="FILE",
        help="another raster of the same scene, such as the other polarisation; its bands follow (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--bands", type=_whole, nargs="+", metavar="N", help="band numbers, in the model's order; 0 for a missing one"
    )
    parser.add_argument("--units", choices=[u.value for u in Units], default=Units.AUTO.value, help="of the raster")


def _model_options(parser: argparse.ArgumentParser, output: str = "GeoTIFF to write") -> None:
    """Add the options of every command that reads a raster with a model and writes something."""
    kinds = "raster, pattern of several ('S1_*_V?.tif'), or Sentinel-1 GRD product"
    parser.add_argument("input", metavar="INPUT", help=kinds)
    parser.add_argument("output", metavar="OUTPUT", type=Path, help=output)
    _reading(parser)
    parser.add_argument(
        "--accept-values", action="store_true", help="map values that can't be backscatter all the same (a warning)"
    )
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"),
        help="in the raster's CRS; of a product longitude, latitude",
    )  # fmt: skip
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--batch-size", type=_whole, default=0, metavar="N", help="tiles at once; 0 chooses")
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    add_progress(parser)


def _engine(parser: argparse.ArgumentParser) -> None:
    what = "library that runs the model; auto takes OpenVINO on a processor; openvino-int8 is fastest"
    parser.add_argument("--engine", choices=ENGINES, default="auto", help=what)


def _tokens(parser: argparse.ArgumentParser, grid: str) -> None:
    parser.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    parser.add_argument(
        "--grid", choices=GRIDS, default=grid,
        help=f"of the output: patch, a pixel for each patch of the model (80 m for the bundled model), or input, "
        f"interpolated to the input's own; default {grid}",
    )  # fmt: skip


def _mapping(text: str) -> dict[str, int]:
    """Parse "1=80,Forest=10"; the new value follows the last equals sign of each part."""
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


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
