"""The commands that read a raster with a model, from their options; run once, or one after another by `serve`."""

from __future__ import annotations

import argparse
from typing import Callable

from backend.core.cancel import Cancel
from backend.core.events import Reporter
from backend.maps.request import Request
from backend.radiometry.convert import Units

MODEL_COMMANDS = ("landcover", "attention", "embed", "similarity")


def run_model(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Do what the options of one of MODEL_COMMANDS say.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    from backend.maps import embeddings, predict, similarity

    request = request_of(options, reporter, cancel)
    given = options
    commands: dict[str, Callable[[], object]] = {
        "landcover": lambda: predict.landcover(request, given.confidence, given.probabilities),
        "attention": lambda: predict.attention(request, given.heads, given.block, given.mass, given.masks),
        "embed": lambda: embeddings.embed(request, given.block, given.grid, given.pca),
        "similarity": lambda: similarity.similarity(request, given.point, given.block, given.grid),
    }
    commands[given.command]()


def request_of(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> Request:
    """What the options of `options.common` ask for."""
    return Request(
        input=options.input,
        further=options.further,
        output=options.output,
        model=options.model,
        bands=options.bands,
        units=Units(options.units),
        extent=options.extent,
        device=options.device,
        engine=getattr(options, "engine", "auto"),  # training has no choice
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        reporter=reporter,
        cancel=cancel,
    )
