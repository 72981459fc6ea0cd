"""The commands that read a raster with a model, from their options; run once, or one after another by `serve`."""

from __future__ import annotations

import argparse
from typing import Callable

from backend.cli.console import request_of
from backend.core.cancel import Cancel
from backend.core.events import Reporter

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
