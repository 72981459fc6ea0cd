"""Parse the command line."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from backend import __version__
from backend.cli.registry import COMMANDS

# Options that refine another one: the option they need, and their default. Without that option they are refused.
REFINING = {
    "mass": ("masks", None), "seed": ("sample", 0), "dem_heights": ("dem", "geoid"), "orbit": ("dem", None),
    "flatten": ("dem", False), "mask_nodata": ("dem", False), "incidence": ("dem", None), "mask": ("dem", None),
    "overwrite": ("output", False),
}  # fmt: skip
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    prog = "sardino" if Path(sys.argv[0]).stem == "sardino" else "python -m backend"
    parser = argparse.ArgumentParser(prog=prog, description="Land cover and attention from SAR rasters.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS.values():
        command.add_options(commands.add_parser(command.name, help=command.help))
    options = parser.parse_args([plain(text) for text in (sys.argv[1:] if arguments is None else arguments)])
    for name, (needed, default) in REFINING.items():
        if name not in options or needed not in options:
            continue  # a command may have an option of that name that stands alone
        if getattr(options, name) is None:
            setattr(options, name, default)
        elif not getattr(options, needed):
            parser.error(f"--{name.replace('_', '-')} has no effect without --{needed}; add that, or leave it out")
    return options


def plain(text: str) -> str:
    """Write a negative number such as -1e-05 without exponent: argparse (before Python 3.14) takes it for an option."""
    return format(Decimal(text), "f") if NEGATIVE.fullmatch(text) else text
