"""Learn classes of your own from samples in a raster and write a model folder that `backend landcover` maps with.

    python -m training.ownclasses RASTER MODEL_DIR --samples SAMPLES.geojson --field CLASS [--title TEXT]
        [--legend LEGEND.json] [--model NAME|DIR] [--no-check] [--bands 1 2] [--units auto] [--overwrite]
        [--progress bar|json|none]

SAMPLES holds points or polygons (GeoJSON), CLASS is the field with their class. LEGEND may give classes a name and a
colour: {"class": {"name": "Forest", "color": "#006400"}}. The transformer of the model named by --model stays as it
is; a forest learns the classes from its tokens and from windowed backscatter at the samples' pixels. Unless --no-check
is given, accuracy is measured on spatial blocks of samples held out in turn, told and written into the card.
A minute or so on two cores. Exit 0 done, 1 refused, 2 usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.cli.console import leave, request_of, supervise
from backend.cli.options import common, plain
from backend.core.cancel import Cancel
from backend.core.errors import ResourceError
from backend.core.events import Reporter


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options as a namespace; ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m training.ownclasses", description="Learn land-cover classes from your own samples."
    )
    common(parser, output="model folder to write")
    parser.add_argument("--samples", type=Path, required=True, metavar="FILE", help="GeoJSON of points or polygons")
    parser.add_argument("--field", required=True, help="field of the samples that holds the class")
    parser.add_argument("--legend", type=Path, metavar="FILE", help="JSON with names and colours of classes")
    parser.add_argument("--title", default="", help="name of the model for people; else that of its folder")
    parser.add_argument("--no-check", action="store_true", help="don't measure the accuracy on held-out samples")
    return parser.parse_args([plain(text) for text in (sys.argv[1:] if arguments is None else arguments)])


def run(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Learn and write.

    Raises:
        SarDinoError: Refused or cancelled; then no folder is left, and an older one is as it was.
    """
    # PyTorch takes seconds to import; a wrong usage should be told before.
    from backend.card.registry import model_folder
    from backend.maps.request import Context
    from backend.maps.run import start_run
    from backend.own_classes.legend import read_looks
    from backend.own_classes.model_folder import check_folder

    try:
        from backend.own_classes.learn import learn
    except ModuleNotFoundError as missing:
        raise ResourceError(
            f"The Python package {str(missing.name).partition('.')[0]} is not installed here; own classes need it.",
            "Set up the backend again: it comes with this version.",
        ) from missing
    title = " ".join("".join(c if c.isprintable() else " " for c in options.title).split())[:200]
    request = request_of(options)
    looks = read_looks(options.legend) if options.legend else {}
    check_folder(request.output, model_folder(request.model), request.overwrite)
    with start_run(request, "trainclassifier", {}, Context(reporter, cancel)) as session:
        learn(session, options.samples, options.field, title or request.output.name, looks, not options.no_check)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused, 130 cancelled (2, wrong usage, ends the process inside argparse)."""
    return supervise(run, parse(arguments))


if __name__ == "__main__":
    leave(main())
