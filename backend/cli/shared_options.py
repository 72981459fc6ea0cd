"""Add the options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable, TypeVar

from backend.core.supervise import add_progress
from backend.engines.choice import ENGINES
from backend.radiometry.units import Units

DEVICES = ("auto", "cpu", "cuda", "mps")
GRIDS = ("patch", "input")
HEADS = ("mean", "all", "log")

T = TypeVar("T")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a raster is read."""
    parser.add_argument("--model", metavar="NAME|DIR", help="name of an installed model, or a model folder")
    parser.add_argument(
        "--with", dest="further", action="append", default=[], metavar="FILE",
        help="another raster of the same scene, such as the other polarisation; its bands follow (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--bands", type=whole, nargs="+", metavar="N", help="band numbers, in the model's order; 0 for a missing one"
    )
    parser.add_argument(
        "--units", choices=[u.value for u in Units], default=Units.AUTO.value, help="units of the raster"
    )


def add_model_options(parser: argparse.ArgumentParser, output: str = "GeoTIFF to write") -> None:
    """Add the options of every command that reads a raster with a model and writes something."""
    kinds = "raster, pattern of several ('S1_*_V?.tif'), or Sentinel-1 GRD product"
    parser.add_argument("input", metavar="INPUT", help=kinds)
    parser.add_argument("output", metavar="OUTPUT", type=Path, help=output)
    add_reading(parser)
    parser.add_argument(
        "--accept-values", action="store_true", help="also map values that can't be backscatter (with a warning)"
    )
    parser.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"),
        help="area to map, in the raster's CRS; for a product in longitude and latitude",
    )  # fmt: skip
    add_slopes(parser)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--batch-size", type=whole, default=0, metavar="N", help="number of tiles at once; 0 chooses")
    add_writing(parser)


def add_writing(parser: argparse.ArgumentParser, older: str = "existing outputs") -> None:
    """Add the options of every command that writes files; `older` is what --overwrite replaces."""
    parser.add_argument("--overwrite", action="store_true", default=None, help=f"replace {older}")
    add_progress(parser)


def add_slopes(parser: argparse._ActionsContainer, one: bool = True) -> None:
    """Add the options that say how the terrain under a product is taken into account.

    Args:
        parser: Takes them.
        one: Whether it is about one product, which can have a file of orbits.
    """
    parser.add_argument(
        "--dem",
        metavar="PATH",
        help="elevation model, to correct the positions of a Sentinel-1 product for the terrain",
    )
    parser.add_argument(
        "--dem-heights", choices=("geoid", "ellipsoid"),
        help="zero level of the heights: geoid (mean sea level, the default; SRTM, Copernicus and most others) or "
        "ellipsoid; needs --dem",
    )  # fmt: skip
    if one:
        parser.add_argument("--orbit", metavar="PATH", help="file of precise orbits (EOF) of the product; needs --dem")
    parser.add_argument(
        "--flatten", action="store_true", default=None,
        help="correct the brightness of slopes too: gamma0 of the terrain (Small 2011); needs --dem",
    )  # fmt: skip
    parser.add_argument(
        "--mask-nodata", action="store_true", default=None, help="make layover and shadow nodata; needs --dem"
    )


def add_engine(parser: argparse._ActionsContainer) -> None:
    """Add --engine."""
    what = "library that runs the model; auto takes OpenVINO on a processor; openvino-int8 is fastest"
    parser.add_argument("--engine", choices=ENGINES, default="auto", help=what)


def add_tokens(parser: argparse.ArgumentParser, grid: str) -> None:
    """Add the options of commands that write a value for each token; `grid` is the default of --grid."""
    parser.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    parser.add_argument(
        "--grid", choices=GRIDS, default=grid,
        help=f"of the output: patch, a pixel for each patch of the model (80 m for the bundled model), or input, "
        f"interpolated to the input's own; default {grid}",
    )  # fmt: skip


def assignments(read: Callable[[str], T], form: str) -> Callable[[str], dict[str, T]]:
    """Return a parser of texts such as "1=80,Forest=10"; the value follows the last equals sign of each part.

    Args:
        read: Parses a value; raises ValueError.
        form: Shown where a part is no assignment, such as "OLD=NEW, such as 1=80".
    """

    def parse(text: str) -> dict[str, T]:
        found: dict[str, T] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = part.rpartition("=")
            try:
                found[name.strip()] = read(value)
            except ValueError:
                equals = ""
            if not equals or not name.strip():
                raise argparse.ArgumentTypeError(f"{part!r} is not {form}")
        return found

    return parse


def whole(text: str) -> int:
    """Parse a whole number of at least 0.

    Raises:
        argparse.ArgumentTypeError: The text is not a whole number of at least 0.
    """
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
