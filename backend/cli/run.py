"""The commands that read a raster with a model, from their options; run once, or one after another by `serve`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Callable

from backend.cli.console import request_of

if TYPE_CHECKING:
    from backend.maps.request import Context

MODEL_COMMANDS = ("landcover", "attention", "embed", "similarity")


def run_model(options: argparse.Namespace, context: Context) -> None:
    """Do what the options of one of MODEL_COMMANDS say.

    Args:
        options: Parsed command line.
        context: Reporter, cancel and models.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    from backend.maps.attention import attention
    from backend.maps.embeddings import embed
    from backend.maps.landcover import landcover
    from backend.maps.similarity import similarity

    request, given = request_of(options), options
    commands: dict[str, Callable[[], object]] = {
        "landcover": lambda: landcover(request, given.confidence, given.probabilities, context),
        "attention": lambda: attention(request, given.heads, given.block, given.mass, given.masks, context),
        "embed": lambda: embed(request, given.block, given.grid, given.pca, context),
        "similarity": lambda: similarity(request, given.point, given.block, given.grid, context),
    }
    commands[given.command]()
