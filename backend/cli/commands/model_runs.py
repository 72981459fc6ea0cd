"""Define the commands that map a raster with a model; `serve` takes them too, one after another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import HEADS, add_engine, add_model_options, add_tokens
from backend.core.context import Context
from backend.core.errors import InputError
from backend.engines.answer import CLASS_PROBABILITIES
from backend.grd.request import Slopes
from backend.maps.early import begin
from backend.maps.load import ModelCache
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units

# The model of the last command, which mostly ends the process: taking it down takes longer than writing a small map.
_KEPT: list[ModelCache] = []


def _landcover(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    add_engine(parser)
    parser.add_argument("--confidence", type=Path, help="also write the probability of the class (float32)")
    parser.add_argument("--probabilities", type=Path, help="also write the probability of every class, a band each")
    parser.add_argument(
        "--date", dest="dates", action="append", default=[], metavar="FILE",
        help="the same place on another date: raster, pattern of its polarisations, or product (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--agreement", type=Path, help="also write the share of dates that have the class by themselves"
    )
    parser.add_argument("--margin", type=Path, help="also write the lead over the next class, 0 to 1 (float32)")
    parser.add_argument("--entropy", type=Path, help="also write the entropy of the classes, 0 to 1 (float32)")
    parser.add_argument(
        "--disagreement", type=Path, help="also write how much overlapping tiles disagree, 0 to 1 (float32)"
    )
    parser.add_argument(
        "--surroundings", type=Path, help="also write the share of the pixels around that have the class (float32)"
    )
    _add_bits(parser, "of confidence and probabilities: 32 (floats), or 8: bytes with a scale")


def _attention(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    add_engine(parser)
    parser.add_argument(
        "--heads",
        choices=HEADS,
        default=HEADS[0],
        help="the mean of the heads; all with a band each; or the mean of their logarithms, which shows areas",
    )
    parser.add_argument("--block", type=int, default=-1, help="transformer block from 0; -1 is the last")
    parser.add_argument("--mass", type=float, help="share of attention that a mask keeps (0.6); needs --masks")
    parser.add_argument("--masks", type=Path, help="also write where each head's share of attention lies")


def _embed(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    add_engine(parser)
    add_tokens(parser, "patch")
    parser.add_argument("--pca", type=Path, help="also write the scene's three principal components as RGB (uint8)")
    _add_bits(parser, "of a value: 32 (floats), or 8: bytes with scale and offset, a quarter of the size")


def _add_bits(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--bits", type=int, choices=(8, 32), default=32, help=what)


def _similarity(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    add_engine(parser)
    add_tokens(parser, "input")
    parser.add_argument(
        "--point", type=float, nargs=2, metavar=("X", "Y"), action="append", required=True,
        help="place to compare with, in the raster's CRS (for a product in degrees); of several, the most similar",
    )  # fmt: skip


def run_model(options: argparse.Namespace, context: MapContext) -> None:
    """Run one of MODEL_RUNS.

    Args:
        options: Parsed command line.
        context: Reporter, cancel and models.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    from backend.maps.attention import attention
    from backend.maps.embeddings import embed
    from backend.maps.landcover import FURTHER, landcover
    from backend.maps.similarity import similarity

    if options.command == "landcover" and options.bits == 8 and not (options.confidence or options.probabilities):
        raise InputError("--bits 8 has no effect without --confidence or --probabilities.", "Add one, or leave it out.")
    request, given = model_request(options), options
    more = {role: getattr(given, role, None) for role in FURTHER}
    commands: dict[str, Callable[[], object]] = {
        "landcover": lambda: landcover(request, given.confidence, given.probabilities, context, more, given.bits),
        "attention": lambda: attention(request, given.heads, given.block, given.mass, given.masks, context),
        "embed": lambda: embed(request, given.block, given.grid, given.pca, context, given.bits),
        "similarity": lambda: similarity(request, given.point, given.block, given.grid, context),
    }
    commands[given.command]()


def model_request(options: argparse.Namespace) -> Request:
    """Return the request that the options of add_model_options make."""
    return request_of(Request, options, units=Units(options.units), slopes=request_of(Slopes, options))


def _run(options: argparse.Namespace, context: Context) -> None:
    run_context = MapContext.of(context)
    _KEPT[:] = [run_context.models]
    # The model is on its way while what reads rasters is imported; a warm worker has that, and refuses sooner without.
    begin(model_request(options), run_context, CLASS_PROBABILITIES if options.command == "landcover" else None)
    run_model(options, run_context)


MODEL_RUNS = (
    Command("landcover", "map land-cover classes", _landcover, _run),
    Command("attention", "map what the vision transformer attends to", _attention, _run),
    Command("embed", "write the transformer's features of every patch, a band each", _embed, _run),
    Command("similarity", "map how similar every place is to some points", _similarity, _run),
)
