"""Define the command `serve`."""

from __future__ import annotations

import argparse
import sys

from backend.cli.commands.command import Command
from backend.cli.shared_options import DEVICES
from backend.core.context import Context

# An idle warm worker keeps its memory, and that of a graphics card, for this long.
IDLE_MINUTES = 5.0


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", choices=DEVICES, default="auto", help="device of queries, and of runs that name none"
    )
    parser.add_argument(
        "--idle-minutes",
        type=float,
        default=IDLE_MINUTES,
        help="minutes without a run or query after which it ends (5)",
    )
    parser.set_defaults(progress="json")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.cli.serve import Inbox, serve

    inbox = Inbox()
    context.cancel.watch_stdin(inbox.take)
    serve(inbox, sys.stdout, context.cancel, options.device, options.idle_minutes * 60)


SERVE = Command("serve", "run as a warm worker: answer runs and queries, a JSON object a line", _add_options, _run)
