"""Define the command `card`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing
from backend.core.context import Context


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", metavar="MODEL", help="name of an installed model, or a model folder")
    parser.add_argument(
        "--mlm", action="store_true", help="write a STAC item with the machine learning model extension"
    )
    parser.add_argument("--output", type=Path, metavar="PATH", help="file to write; default: print")
    add_writing(parser, "an existing output")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.cli.card import CardRequest, card

    card(request_of(CardRequest, options, printed=options.progress != "json"), context)


CARD = Command("card", "print or write the card of a model as JSON, or as a STAC item", _add_options, _run)
