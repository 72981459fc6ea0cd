"""Define the command `train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.commands.model_runs import model_request
from backend.cli.shared_options import add_model_options
from backend.core.context import Context
from backend.maps.request import MapContext


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser, output="model folder to write")
    parser.add_argument("--samples", type=Path, required=True, metavar="FILE", help="GeoJSON of points or polygons")
    parser.add_argument(
        "--also", action="append", default=[], metavar="SCENE",
        help="another scene or date that samples lie in, read as INPUT is (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--field", required=True, help="field of the samples that holds the class")
    parser.add_argument("--legend", type=Path, metavar="FILE", help="JSON with names and colours of classes")
    parser.add_argument("--title", default="", help="title of the model; default: the name of its folder")
    parser.add_argument("--no-check", action="store_true", help="don't measure the accuracy on held-out samples")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.own_classes.command import train
    from backend.own_classes.samples import SampleSource

    train(model_request(options), request_of(SampleSource, options), not options.no_check, MapContext.of(context))


TRAIN = Command(
    "train", "learn your own classes from samples; write a model that landcover maps with", _add_options, _run
)
