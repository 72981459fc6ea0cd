"""Start the command line: `python -m backend`, or `sardino` where the package is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from backend.cli.options import parse
from backend.cli.registry import COMMANDS
from backend.core.supervise import leave, supervise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    options = parse(arguments)
    return supervise(COMMANDS[options.command].run, options, watch_stdin=options.command != "serve")


def command() -> NoReturn:
    """Run the command line and end the process."""
    leave(main())


if __name__ == "__main__":
    command()
